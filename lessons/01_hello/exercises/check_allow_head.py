"""HEAD / answers like GET / without the body; no other method is added."""

from course.testing.http import ExerciseCase

GET = "get(): write the text with self.write(). Tornado does not send what a method returns"
HEAD = "class HelloHandler: add a method head(); Tornado calls it for HEAD"
FAILED = 'head() has failed: the part "your code" of this report says why'
SAME = (
    "head() must do what get() does: set the same headers and write the same text.\n"
    "Tornado counts the text for Content-Length and does not send it"
)
TEXT = "head() must write the same text as get(): Tornado makes the header Etag from the text"
ONLY_HEAD = "the exercise asks for HEAD only: remove the method that answers this one"


class AllowHead(ExerciseCase):
    def test_get_still_answers(self) -> None:
        answer = self.send("GET", "/").expect(status=200, advice=GET)
        if not answer.text:
            answer.expect(contains="Hello, world", advice=GET)

    def test_head_is_answered_without_a_body(self) -> None:
        answer = self.send("HEAD", "/")
        advice_by_status = {405: HEAD, 500: FAILED}
        answer.expect(status=200, body="", advice=advice_by_status.get(answer.status or 405, SAME))

    def test_head_has_the_headers_of_get(self) -> None:
        page = self.send("GET", "/").expect(status=200, advice=GET)
        others = ("Date", "Server", "Connection")  # not made by the handler
        headers = {name: page.headers[name] for name in page.headers if name not in others}
        etag = {name: headers.pop(name) for name in ("Etag",) if name in headers}
        answer = self.send("HEAD", "/")
        advice_by_status = {405: HEAD, 500: FAILED}
        answer.expect(status=200, advice=advice_by_status.get(answer.status or 405, SAME))
        answer.expect(headers=headers, advice=SAME).expect(headers=etag, advice=TEXT)

    def test_other_methods_are_still_refused(self) -> None:
        for method in ("OPTIONS", "POST", "PUT", "PATCH", "DELETE"):
            with self.subTest(method):
                self.send(method, "/").expect(status=405, advice=ONLY_HEAD)
