"""A nickname has 1 to 30 characters that can be seen."""

from urllib.parse import urlencode

from course.testing.http import ExerciseCase

LENGTH = "a nickname has at most 30 characters; count characters, not bytes"
SEEN = "str.isprintable() is False for control characters and for marks that nobody sees"
GOOD = "spaces, signs and letters of all scripts are fine: str.isprintable()"


class NicknameRules(ExerciseCase):
    def expect_problem(self, nickname: str, problem: str, advice: str) -> None:
        path = "/nickname?" + urlencode({"nickname": nickname})
        self.send("GET", path).expect(status=200, json={"problem": problem}, advice=advice)

    def test_good_nicknames(self) -> None:
        for nickname in ("Ada", "Ada Lovelace", "Zoë", "小明", "O'Neill-42"):
            self.expect_problem(nickname, "", GOOD)

    def test_length(self) -> None:
        for nickname, problem in (("", "empty"), ("  ", "empty"), ("a" * 31, "too_long")):
            self.expect_problem(nickname, problem, LENGTH)
        for nickname in ("a" * 30, "明" * 30):
            self.expect_problem(nickname, "", LENGTH)

    def test_what_nobody_sees(self) -> None:
        for nickname in ("Ada\u202e", "A\u200bda"):
            self.expect_problem(nickname, "not_printable", SEEN)
