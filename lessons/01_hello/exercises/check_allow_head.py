"""HEAD / answers like GET / without the body; no other verb is added."""

from course.exercise_case import ExerciseCase

GET = "get(): self.write() the text; what a method returns is not sent"
HEAD = "the class HelloHandler: one method for each verb; HEAD is answered by head()"


class AllowHead(ExerciseCase):
    def test_get_still_says_hello(self) -> None:
        self.send("GET", "/").expect(status=200, body="Hello, world\n", look=GET)

    def test_head_is_answered_without_a_body(self) -> None:
        self.send("HEAD", "/").expect(status=200, body="", look=HEAD)

    def test_head_has_the_headers_of_get(self) -> None:
        page = self.send("GET", "/").expect(status=200, look=GET)
        names = ("Content-Type", "Content-Length", "Etag")
        self.send("HEAD", "/").expect(
            status=200,
            headers={name: page.headers.get(name) for name in names},
            look="head() must write what get() writes: Tornado counts it, and sends no body",
        )

    def test_options_is_still_refused(self) -> None:
        self.send("OPTIONS", "/").expect(
            status=405, look="only head() was asked for: take options() or a catch-all away again"
        )
