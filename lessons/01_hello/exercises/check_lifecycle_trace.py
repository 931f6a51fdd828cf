"""Five steps when it works, seven when the verb fails, six when prepare() refuses."""

from course.exercise_case import ExerciseCase, Mismatch

VISITOR = {"X-Visitor": "Ada"}
BEFORE = ["set_default_headers", "initialize", "prepare"]
ERROR = ["set_default_headers", "write_error", "on_finish"]


class LifecycleTrace(ExerciseCase):
    def expect_steps(self, sent: str, expected: list[str], look: str) -> None:
        came = self._app.settings.get("steps")
        if came != expected:
            raise Mismatch(
                sent=sent,
                came=f"the steps  {_arrows(came)}",
                expected=f"the steps  {_arrows(expected)}",
                look=look,
            )

    def test_a_get_that_works_takes_five_steps(self) -> None:
        answer = self.send("GET", "/trace", headers=VISITOR)
        answer.expect(status=200, look="get() must not fail when X-Visitor is there")
        look = "a method is recorded if you override it; lifecycle.py has all their names"
        self.expect_steps(answer.sent, [*BEFORE, "get", "on_finish"], look)

    def test_a_post_that_fails_takes_seven_steps(self) -> None:
        answer = self.send("POST", "/trace", headers=VISITOR)
        answer.expect(status=409, look="post() must still raise HTTPError(409)")
        look = (
            "an error begins again at set_default_headers, then write_error(status_code, **kwargs)"
        )
        self.expect_steps(answer.sent, [*BEFORE, "post", *ERROR], look)

    def test_a_stranger_is_refused_before_the_verb(self) -> None:
        for verb in ("GET", "POST"):
            with self.subTest(verb):
                self._app.settings["steps"].clear()
                answer = self.send(verb, "/trace")
                answer.expect(
                    status=403,
                    look="prepare() runs before every verb; what it raises is the answer",
                )
                look = "raise HTTPError(403) in prepare(), after recording it: the verb never runs"
                self.expect_steps(answer.sent, [*BEFORE, *ERROR], look)

    def test_the_error_page_is_still_sent(self) -> None:
        self.send("POST", "/trace", headers=VISITOR).expect(
            status=409,
            contains="409: Conflict",
            look="your write_error() replaces the page: end it with super().write_error(...)",
        )


def _arrows(steps: object) -> str:
    return " -> ".join(map(str, steps)) or "(none)" if isinstance(steps, list) else repr(steps)
