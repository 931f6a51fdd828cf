"""Every error is JSON with its code and reason, and tells nothing of the exception."""

from course.exercise_case import ExerciseCase

JSON = {"Content-Type": "application/json; charset=UTF-8"}
PAGE = (
    "BaseHandler.write_error(self, status_code, **kwargs): finish() it with a dict:\n"
    "code is the number status_code, reason the text self._reason"
)


class JsonErrors(ExerciseCase):
    def test_a_page_that_works_is_unchanged(self) -> None:
        self.send("GET", "/moons/mars").expect(
            status=200, json={"moons": 2}, look="MoonsHandler: put it back as the stub has it"
        )

    def test_an_error_that_a_handler_raises(self) -> None:
        self.send("PUT", "/moons/mars").expect(
            status=409, headers=JSON, json={"code": 409, "reason": "Conflict"}, look=PAGE
        )

    def test_an_exception_nobody_expected(self) -> None:
        answer = self.send("GET", "/moons/venus")
        for secret in ("Traceback", "KeyError", "venus"):
            answer.expect(
                status=500,
                lacks=secret,
                look="write_error(): what was raised is for the log; the client gets the reason",
            )
        answer.expect(
            status=500,
            headers=JSON,
            json={"code": 500, "reason": "Internal Server Error"},
            look=PAGE,
        )

    def test_a_path_that_no_route_matches(self) -> None:
        self.send("GET", "/nowhere").expect(
            status=404,
            headers=JSON,
            json={"code": 404, "reason": "Not Found"},
            look="make_app(): default_handler_class=... names the handler for all other paths;\n"
            "a subclass of BaseHandler whose prepare() raises HTTPError(404)",
        )

    def test_a_verb_that_the_handler_lacks(self) -> None:
        self.send("DELETE", "/moons/mars").expect(
            status=405, headers=JSON, json={"code": 405, "reason": "Method Not Allowed"}, look=PAGE
        )
