"""HEAD / answers like GET / without the body; no other method is added."""

import tornado.web

from course.testing.http import ExerciseCase, Response

GET = "get(): write the text with self.write(). Tornado does not send what a method returns"
HEAD = (
    "class HelloHandler: add a method head(), with the same indentation as get().\n"
    "Tornado calls it for HEAD"
)
REFUSES = (
    "head() is called and answers 405 itself. Call self.get(): super().get() is the method\n"
    "of RequestHandler, which answers every request with 405"
)
FAILED = 'head() has raised an exception: see "your code" above'
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
        answer.expect(status=200, body="", advice=self.advice_for(answer))

    def test_head_has_the_headers_of_get(self) -> None:
        page = self.send("GET", "/").expect(status=200, advice=GET)
        others = ("Date", "Server", "Connection")  # not made by the handler
        headers = {name: page.headers[name] for name in page.headers if name not in others}
        etag = {name: headers.pop(name) for name in ("Etag",) if name in headers}
        answer = self.send("HEAD", "/")
        answer.expect(status=200, advice=self.advice_for(answer))
        answer.expect(headers=headers, advice=SAME).expect(headers=etag, advice=TEXT)

    def test_other_methods_are_still_refused(self) -> None:
        for method in ("OPTIONS", "POST", "PUT", "PATCH", "DELETE"):
            with self.subTest(method):
                self.send(method, "/").expect(status=405, advice=ONLY_HEAD)

    def advice_for(self, answer: Response) -> str:
        """Return the advice for the response to HEAD."""
        handler = getattr(self.subject, "HelloHandler", None)
        head = getattr(handler, "head", tornado.web.RequestHandler.head)
        refused = HEAD if head is tornado.web.RequestHandler.head else REFUSES
        return {405: refused, 500: FAILED}.get(answer.status or 405, SAME)
