"""The tests of stage 7: one order, and an ack after the commit."""

import contextlib
import sqlite3
import uuid

from course.testing.chat_stage import LOBBY, StageCase


class OrderTest(StageCase):
    def setUp(self) -> None:
        super().setUp()
        self.ada, self.bob = self.person("Ada"), self.person("Bob")

    def events(self, conv: int = LOBBY, query: str = "") -> list[dict[str, object]]:
        answer = self.ada.call("GET", f"/api/conversations/{conv}/events{query}")
        events: list[dict[str, object]] = answer["events"]
        return events

    def test_the_ack_comes_before_the_event(self) -> None:
        ada = self.ada.connect()
        cid = ada.send("hello")
        event = ada.expect("message", text="hello")
        acks = [frame for frame in ada.received if frame["type"] == "ack"]
        expected = {"type": "ack", "cid": cid, "conv": LOBBY, "seq": 1, "at": event["at"]}
        self.assertEqual(acks, [expected])
        self.assertEqual(event["seq"], 1)

    def test_the_ack_comes_after_the_commit(self) -> None:
        ada = self.ada.connect()
        for number in range(5):
            cid = ada.send(f"number {number}")
            seq = ada.expect("ack", cid=cid)["seq"]
            with contextlib.closing(sqlite3.connect(self.file)) as other:
                found = other.execute("SELECT text FROM events WHERE seq = ?", (seq,)).fetchone()
            self.assertEqual(found, (f"number {number}",))

    def test_sent_twice_stored_once(self) -> None:
        ada, bob = self.ada.connect(), self.bob.connect()
        cid = ada.send("once")
        first = ada.expect("ack", cid=cid)
        ada.send("once", cid=cid)
        self.assertEqual(ada.expect("ack", cid=cid), first)
        texts = [frame["text"] for frame in bob.settle() if frame["type"] == "message"]
        self.assertEqual(texts, ["once"])
        self.assertEqual(len(self.events()), 1)

    def test_sent_again_after_a_restart(self) -> None:
        ada = self.ada.connect()
        cid = ada.send("once")
        first = ada.expect("ack", cid=cid)
        self.restart()
        ada = self.ada.connect()
        ada.send("once", cid=cid)
        self.assertEqual(ada.expect("ack", cid=cid), first)

    def test_a_cid_belongs_to_one_text_of_one_user(self) -> None:
        ada, bob = self.ada.connect(), self.bob.connect()
        cid = ada.send("one")
        ada.expect("ack", cid=cid)
        ada.send("another", cid=cid)
        ada.expect("error", code="conflict", cid=cid)
        bob.send("mine", cid=cid)
        self.assertEqual(bob.expect("ack", cid=cid)["seq"], 2)

    def test_all_see_one_order_without_a_gap(self) -> None:
        sockets = [person.connect() for person in (self.ada, self.bob, self.ada)]
        for number in range(12):
            sockets[number % 3].send(f"number {number}")
        seen = []
        for socket in sockets:
            events = [socket.expect("message") for _ in range(12)]
            self.assertEqual([event["seq"] for event in events], list(range(1, 13)))
            seen.append([event["text"] for event in events])
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(seen[0], seen[2])
        self.assertEqual(seen[0], [event["text"] for event in self.events()])

    def test_each_conversation_counts_for_itself_and_joins_count_too(self) -> None:
        conv = self.ada.call("POST", "/api/groups", {"title": "Garden"})["conversation"]["id"]
        ada = self.ada.connect()
        for each in (LOBBY, conv):
            self.assertEqual(ada.expect("ack", cid=ada.send("hello", each))["seq"], 1)
        self.bob.call("POST", f"/api/groups/{conv}/join")
        self.bob.call("POST", f"/api/groups/{conv}/join")  # joining again is no event
        event = ada.expect("member", conv=conv, change="joined")
        self.assertEqual((event["seq"], event["user"]["nickname"]), (2, "Bob"))
        self.assertEqual(ada.expect("ack", cid=ada.send("welcome", conv))["seq"], 3)
        types = [event["type"] for event in self.events(conv)]
        self.assertEqual(types, ["message", "member", "message"])

    def test_history_comes_in_pages(self) -> None:
        ada = self.ada.connect()
        for number in range(1, 106):
            ada.send(f"number {number}")
        ada.expect("message", seq=105)
        newest = self.events()
        self.assertEqual([event["seq"] for event in newest], list(range(6, 106)))
        older = self.events(query="?before=6")
        self.assertEqual([event["seq"] for event in older], list(range(1, 6)))

    def test_a_message_without_a_cid_is_no_frame(self) -> None:
        ada = self.ada.connect()
        for cid in (None, 7, "", "x" * 36):
            ada.write({"type": "send", "cid": cid, "conv": LOBBY, "text": "hello"})
            ada.expect("error", code="bad_frame")

    def test_an_error_names_the_message(self) -> None:
        ada, cid = self.ada.connect(), str(uuid.uuid4())
        ada.send(" ", cid=cid)
        ada.expect("error", code="text_empty", cid=cid)
