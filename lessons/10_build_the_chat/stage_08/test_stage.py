"""The tests of stage 8: coming back without loss or doubles."""

from typing import Any

from course.testing.chat_stage import LOBBY, ClientSocket, StageCase


class ResumeTest(StageCase):
    def setUp(self) -> None:
        super().setUp()
        self.ada, self.bob = self.person("Ada"), self.person("Bob")

    def missed(self, after: int, conv: int = LOBBY) -> list[dict[str, Any]]:
        """Load what Bob has missed, page by page, as the page does."""
        events: list[dict[str, Any]] = []
        while page := self.load(f"/api/conversations/{conv}/events?after={after}"):
            events += page
            after = page[-1]["seq"]
        return events

    def load(self, path: str) -> list[dict[str, Any]]:
        page: list[dict[str, Any]] = self.bob.call("GET", path)["events"]
        return page

    def send(self, socket: ClientSocket, *texts: str) -> None:
        for text in texts:
            socket.expect("ack", cid=socket.send(text))

    def test_a_connection_begins_with_hello(self) -> None:
        first = self.bob.connect().read()
        assert first
        self.assertEqual((first["type"], first["heads"]), ("hello", {"1": 0}))
        self.assertEqual(first["user"]["nickname"], "Bob")

    def test_heads_are_those_of_ones_own_conversations(self) -> None:
        conv = self.ada.call("POST", "/api/groups", {"title": "Garden"})["conversation"]["id"]
        ada = self.ada.connect()
        self.send(ada, "one", "two")
        ada.expect("ack", cid=ada.send("three", conv))
        self.assertEqual(self.ada.connect().expect("hello")["heads"], {"1": 2, str(conv): 1})
        self.assertEqual(self.bob.connect().expect("hello")["heads"], {"1": 2})

    def test_a_pong_has_the_heads(self) -> None:
        ada, bob = self.ada.connect(), self.bob.connect()
        self.send(ada, "one")
        bob.write({"type": "ping"})
        self.assertEqual(bob.expect("pong")["heads"], {"1": 1})

    def test_what_was_missed_is_loaded_in_order_and_in_pages(self) -> None:
        ada = self.ada.connect()
        self.send(ada, *(f"number {number}" for number in range(1, 131)))
        page = self.load(f"/api/conversations/{LOBBY}/events?after=5")
        self.assertEqual([event["seq"] for event in page], list(range(6, 106)))
        self.assertEqual([event["seq"] for event in self.missed(5)], list(range(6, 131)))
        self.assertEqual(self.missed(130), [])

    def test_who_comes_back_has_each_message_once(self) -> None:
        ada, bob = self.ada.connect(), self.bob.connect()
        self.send(ada, "before")
        known = [bob.expect("message", text="before")]
        bob.connection.close()
        bob.read_to_end()
        self.send(ada, "away 1", "away 2")
        bob = self.bob.connect()
        head = bob.expect("hello")["heads"]["1"]
        self.assertEqual(head, 3)
        self.send(ada, "after")
        known += self.missed(known[-1]["seq"])
        live = bob.expect("message", text="after")
        by_seq = {event["seq"]: event["text"] for event in [*known, live]}
        self.assertEqual(by_seq, {1: "before", 2: "away 1", 3: "away 2", 4: "after"})

    def test_nothing_is_lost_between_hello_and_the_first_event(self) -> None:
        ada = self.ada.connect()
        for number in range(5):
            ada.send(f"before {number}")
        bob = self.bob.connect()  # while the messages are being stored
        for number in range(5):
            ada.send(f"after {number}")
        ada.expect("message", seq=10)
        head = bob.expect("hello")["heads"]["1"]
        live = {frame["seq"] for frame in [*bob.received, *bob.settle()] if "seq" in frame}
        self.assertLessEqual(set(range(head + 1, 11)), live)

    def test_a_summary_has_the_head(self) -> None:
        self.send(self.ada.connect(), "one", "two")
        (lobby,) = self.bob.call("GET", "/api/state")["conversations"]
        self.assertEqual(lobby["head"], 2)

    def test_only_members_load_what_was_missed(self) -> None:
        conv = self.ada.call("POST", "/api/groups", {"title": "Garden"})["conversation"]["id"]
        ada = self.ada.connect()
        ada.expect("hello")
        ada.expect("ack", cid=ada.send("for members", conv))
        response = self.bob.try_call("GET", f"/api/conversations/{conv}/events?after=0")
        self.assertEqual(response.code, 404)
