"""A message is stored once, however often it is sent."""

from course.testing.http import ExerciseCase

COUNT = "seq counts from 1, without a gap"
ONCE = "a cid that is known gets the answer of the first time; the message is stored once"
OTHER = "another cid is another message, also with the same text"


class SameCid(ExerciseCase):
    def expect_seq(self, cid: str, text: str, seq: int, advice: str) -> None:
        response = self.send("POST", "/send", form={"cid": cid, "text": text})
        response.expect(status=200, json={"seq": seq}, advice=advice)

    def expect_texts(self, texts: list[str], advice: str) -> None:
        stored = [event["text"] for event in self._app.settings["events"]]
        self.expect(stored, texts, sent='settings["events"]', advice=advice)

    def test_messages_are_counted(self) -> None:
        self.expect_seq("a", "one", 1, COUNT)
        self.expect_seq("b", "two", 2, COUNT)
        self.expect_seq("c", "two", 3, OTHER)
        self.expect_texts(["one", "two", "two"], COUNT)

    def test_sent_again_is_stored_once(self) -> None:
        self.expect_seq("a", "one", 1, COUNT)
        self.expect_seq("b", "two", 2, COUNT)
        self.expect_seq("a", "one", 1, ONCE)
        self.expect_texts(["one", "two"], ONCE)

    def test_another_text_is_a_conflict(self) -> None:
        self.expect_seq("a", "one", 1, COUNT)
        response = self.send("POST", "/send", form={"cid": "a", "text": "two"})
        response.expect(status=409, advice="the same cid with another text: 409")
        self.expect_texts(["one"], "a conflict stores nothing")
