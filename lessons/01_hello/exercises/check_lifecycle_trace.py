"""Five steps when it works, seven when post() fails; prepare() refuses."""

import textwrap

from course.testing.http import ExerciseCase, Mismatch, Response

VISITOR = {"X-Visitor": "Ada"}
BEFORE = ["set_default_headers", "initialize", "prepare"]
ERROR = ["set_default_headers", "write_error", "on_finish"]
WORKS = "a request with X-Visitor must be answered as before"
NAMES = "override the missing methods; lifecycle.py has their names. Record each one once"
AGAIN = (
    "after an error Tornado calls set_default_headers() again,\n"
    "then write_error(status_code, **kwargs)"
)
RAISE = "post() must still raise tornado.web.HTTPError(409)"
REFUSE = "prepare() is called before get() and post(): raise tornado.web.HTTPError(403) there"
RAISED = 'a method of the handler has raised an exception: see "your code" above'
FAILED = (
    'the handler has raised an exception: see "your code" above.\n'
    'A missing header raises KeyError: use "X-Visitor" in self.request.headers, or get().\n'
    "For NameError, write tornado.web.HTTPError(403)"
)
INITIALIZE = (
    "initialize() must not raise: Tornado then closes the connection without a response.\n"
    "Refuse the request in prepare()"
)
CALLED = (
    "refuse the request in prepare(): raise tornado.web.HTTPError(403) in prepare().\n"
    "If only the status is set, Tornado calls get() or post()"
)
FIRST = "prepare(): append its name to the steps first, then raise tornado.web.HTTPError(403)"
PAGE = (
    "write_error() replaces the error page: end it with super().write_error(status_code, **kwargs)"
)


class LifecycleTrace(ExerciseCase):
    @property
    def steps(self) -> object:
        return self._app.settings.get("steps")

    def expect_steps(self, answer: Response, expected: list[str], advice: str) -> None:
        if self.steps != expected:
            raise Mismatch(
                sent=answer.sent,
                received=f"the steps  {_arrows(self.steps)}",
                expected=f"the steps  {_arrows(expected)}",
                advice=advice,
            )

    def test_a_get_that_works_has_five_steps(self) -> None:
        answer = self.send("GET", "/trace", headers=VISITOR)
        answer.expect(status=200, advice=RAISED if answer.status in (None, 500) else WORKS)
        self.expect_steps(answer, [*BEFORE, "get", "on_finish"], NAMES)

    def test_a_post_that_fails_has_seven_steps(self) -> None:
        answer = self.send("POST", "/trace", headers=VISITOR)
        answer.expect(status=409, advice=RAISED if answer.status in (None, 500) else RAISE)
        self.expect_steps(answer, [*BEFORE, "post", *ERROR], AGAIN)

    def test_a_request_without_the_header_is_refused(self) -> None:
        for method in ("GET", "POST"):
            with self.subTest(method):
                self._app.settings["steps"].clear()
                answer = self.send(method, "/trace")
                advice = FAILED if answer.status == 500 else REFUSE
                answer.expect(status=403, advice=INITIALIZE if answer.no_response else advice)
                received = self.steps
                if received == [*BEFORE, "on_finish"]:
                    continue  # prepare() has ended the response without an error page
                called = isinstance(received, list) and {"get", "post"} & set(received)
                self.expect_steps(answer, [*BEFORE, *ERROR], CALLED if called else FIRST)

    def test_the_error_page_is_still_sent(self) -> None:
        self.send("POST", "/trace", headers=VISITOR).expect(
            status=409, contains="409: Conflict", advice=PAGE
        )


def _arrows(steps: object) -> str:
    if not isinstance(steps, list):
        return repr(steps)
    arrows = " -> ".join(map(str, steps)) or "(none)"
    # Further lines begin below the first step, behind "the steps  ".
    return textwrap.fill(arrows, width=70, subsequent_indent=" " * 11, break_on_hyphens=False)
