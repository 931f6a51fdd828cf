"""A captcha counts once, and for its own form."""

from course.testing.http import ExerciseCase

ONCE = "take the captcha out of the dict when it is used, also if the answer was wrong"
FORM = "a captcha counts for its own form only: compare the name of the form, too"
UNKNOWN = "an unknown id is a wrong answer, not an exception"


class CaptchaOnce(ExerciseCase):
    def expect_right(self, right: bool, advice: str, answer: str = "KM37A", **fields: str) -> None:
        form = {"captcha_id": "one", "form": "login", "answer": answer} | fields
        response = self.send("POST", "/check", form=form)
        response.expect(status=200, json={"right": right}, advice=advice)

    def setUp(self) -> None:
        super().setUp()
        self._app.settings["captchas"]["one"] = ("login", "KM37A")

    def test_the_right_answer_counts_once(self) -> None:
        self.expect_right(True, "the form and the answer are those of the captcha")
        self.expect_right(False, ONCE)

    def test_small_letters_are_right(self) -> None:
        self.expect_right(True, "small letters are right, too: str.upper()", answer="km37a")

    def test_a_wrong_answer_uses_it_up(self) -> None:
        self.expect_right(False, ONCE, answer="WRONG")
        self.expect_right(False, ONCE)

    def test_another_form(self) -> None:
        self.expect_right(False, FORM, form="register")

    def test_an_unknown_id(self) -> None:
        self.expect_right(False, UNKNOWN, captcha_id="two")
        self.expect_right(True, "the captcha with the id one is there")
