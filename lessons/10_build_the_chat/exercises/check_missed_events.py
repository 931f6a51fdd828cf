"""Missed events come in order and in pages."""

from course.testing.http import ExerciseCase

PAGE = "the first ones of those whose seq is above after, at most three"
HEAD = "head is the newest seq of all events, not of this page"


class MissedEvents(ExerciseCase):
    def expect_page(self, after: int, seqs: list[int], head: int, advice: str) -> None:
        page = {"events": [{"seq": seq} for seq in seqs], "head": head}
        self.send("GET", f"/events?after={after}").expect(status=200, json=page, advice=advice)

    def setUp(self) -> None:
        super().setUp()
        self._app.settings["events"].extend({"seq": seq} for seq in range(1, 9))

    def test_the_pages(self) -> None:
        self.expect_page(2, [3, 4, 5], 8, f"{PAGE}; {HEAD}")
        self.expect_page(5, [6, 7, 8], 8, PAGE)
        self.expect_page(7, [8], 8, PAGE)

    def test_nothing_was_missed(self) -> None:
        self.expect_page(8, [], 8, f"{PAGE}; {HEAD}")

    def test_no_event_yet(self) -> None:
        self._app.settings["events"].clear()
        self.expect_page(0, [], 0, "without events the head is 0")

    def test_no_number(self) -> None:
        for after in ("x", "1.5", "", "%C2%B2"):  # the last one is a small 2, above the line
            response = self.send("GET", f"/events?after={after}")
            response.expect(status=400, advice="an after that is no number gets 400")
