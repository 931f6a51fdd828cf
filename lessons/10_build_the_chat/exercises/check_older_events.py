"""Pages of the history, from the newest to the oldest."""

from course.testing.http import ExerciseCase

NEWEST = "without before: the newest of them, that is the last three, in order"
BEFORE = "with before: the last three of those whose seq is below it, in order"


class OlderEvents(ExerciseCase):
    def expect_seqs(self, path: str, seqs: list[int], advice: str) -> None:
        events = [{"seq": seq} for seq in seqs]
        self.send("GET", path).expect(status=200, json={"events": events}, advice=advice)

    def setUp(self) -> None:
        super().setUp()
        self._app.settings["events"].extend({"seq": seq} for seq in range(1, 9))

    def test_the_newest(self) -> None:
        self.expect_seqs("/events", [6, 7, 8], NEWEST)

    def test_the_pages_before(self) -> None:
        self.expect_seqs("/events?before=6", [3, 4, 5], BEFORE)
        self.expect_seqs("/events?before=3", [1, 2], BEFORE)
        self.expect_seqs("/events?before=1", [], BEFORE)

    def test_no_event_yet(self) -> None:
        self._app.settings["events"].clear()
        self.expect_seqs("/events", [], NEWEST)
