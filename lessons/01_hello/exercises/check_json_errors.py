"""Every error is JSON with its code and reason, and says nothing about the exception."""

import tornado.web

from course.testing.http import ExerciseCase, Response

SAME = "MoonsHandler: leave get() and put() as they are"
PAGE = "BaseHandler: override write_error(self, status_code, **kwargs)"
TWICE = (
    "write_error(): super().write_error() sends Tornado's page and ends the response.\n"
    "Call only self.finish(), with a dictionary"
)
EMPTY = (
    "write_error() must send the page: call self.finish() with a dictionary.\n"
    "Tornado does not send what a method returns.\n"
    'If "your code" above names write_error(), it has raised an exception'
)
STATUS = (
    "do not change the status: write_error() keeps the one that Tornado has set,\n"
    "and a handler does not answer its own errors"
)
TYPE = (
    "write_error(): give finish() a dictionary, and Tornado sets the Content-Type.\n"
    "For a text that you encode yourself, set it to application/json"
)
FIELDS = "write_error(): two fields: code is the number status_code, reason the text self._reason"
LEAK = "write_error(): the exception is for the log. Send the client only code and reason"
OTHER = (
    "make_app(): default_handler_class=... names the handler for all other paths:\n"
    "a subclass of BaseHandler whose prepare() raises tornado.web.HTTPError(404)"
)
EVERY = (
    "the handler for all other paths must answer every method, not only GET:\n"
    "raise tornado.web.HTTPError(404) in prepare(), which is called before get() and post()"
)
UNSET = (
    "finish() and write_error() do not set the status. Raise tornado.web.HTTPError(404),\n"
    "or call send_error(404), which sets the status and then calls write_error()"
)


class JsonErrors(ExerciseCase):
    def expect_error(self, answer: Response, code: int, reason: str, advice: str = PAGE) -> None:
        answer.expect(
            status=code, advice=STATUS if answer.status == 200 and advice == PAGE else advice
        )
        if not answer.text and advice in (PAGE, OTHER):
            advice = EMPTY
        elif advice == PAGE and answer.text.startswith("<html>") and self.overridden:
            advice = TWICE
        if answer.text.lstrip().startswith("{"):
            answer.expect(content_type="application/json", advice=TYPE)
        answer.expect(content_type="application/json", advice=advice)
        answer.expect(json={"code": code, "reason": reason}, advice=FIELDS)

    @property
    def overridden(self) -> bool:
        """Whether BaseHandler has a write_error() of its own."""
        base = getattr(self.subject, "BaseHandler", tornado.web.RequestHandler)
        return base.write_error is not tornado.web.RequestHandler.write_error

    def test_a_page_without_an_error_is_unchanged(self) -> None:
        self.send("GET", "/moons/mars").expect(status=200, json={"moons": 2}, advice=SAME)

    def test_an_error_that_a_handler_raises(self) -> None:
        self.expect_error(self.send("PUT", "/moons/mars"), 409, "Conflict")

    def test_an_exception_that_no_code_catches(self) -> None:
        answer = self.send("GET", "/moons/venus")
        answer.expect(status=500, advice=STATUS)
        for secret in ("Traceback", "KeyError", "venus"):
            answer.expect(lacks=secret, advice=LEAK)
        self.expect_error(answer, 500, "Internal Server Error")

    def test_a_path_that_no_route_matches(self) -> None:
        for method in ("GET", "POST"):
            with self.subTest(method):
                answer = self.send(method, "/nowhere")
                advice = UNSET if answer.status == 200 else OTHER
                if (method, answer.status) == ("POST", 405):
                    advice = EVERY
                self.expect_error(answer, 404, "Not Found", advice)

    def test_a_method_that_the_handler_does_not_have(self) -> None:
        self.expect_error(self.send("DELETE", "/moons/mars"), 405, "Method Not Allowed")
