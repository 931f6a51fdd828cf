"""A read mark goes forward only, and at most to the head."""

from course.testing.http import ExerciseCase

FORWARD = "the mark never goes back: the larger one of the old and the new"
HEAD = "the mark is never beyond the head: the smaller one of seq and head"
OWN = "each user has a mark of its own"
UNREAD = "unread is the number of events after the mark: head minus mark"


class ReadMark(ExerciseCase):
    def expect_mark(self, user: str, seq: int, mark: int, advice: str) -> None:
        response = self.send("POST", f"/read?user={user}&seq={seq}")
        response.expect(status=200, json={"read": mark, "unread": 8 - mark}, advice=advice)

    def setUp(self) -> None:
        super().setUp()
        self._app.settings["head"] = 8

    def test_forward(self) -> None:
        self.expect_mark("Ada", 3, 3, UNREAD)
        self.expect_mark("Ada", 5, 5, UNREAD)

    def test_never_back(self) -> None:
        self.expect_mark("Ada", 5, 5, UNREAD)
        self.expect_mark("Ada", 2, 5, FORWARD)

    def test_never_beyond_the_head(self) -> None:
        self.expect_mark("Ada", 99, 8, HEAD)

    def test_marks_of_two_users(self) -> None:
        self.expect_mark("Ada", 5, 5, UNREAD)
        self.expect_mark("Bob", 2, 2, OWN)
