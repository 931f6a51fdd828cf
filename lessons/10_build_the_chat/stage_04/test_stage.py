"""The tests of stage 4: messages in the database."""

import contextlib
import json
import sqlite3

from course.testing.chat_stage import Person, StageCase

HISTORY = "/api/conversations/1/events"


class HistoryTest(StageCase):
    def test_history_has_the_messages_in_order(self) -> None:
        ada, bob = self.person("Ada"), self.person("Bob")
        sockets = ada.connect(), bob.connect()
        for number, socket in enumerate([*sockets, *sockets]):
            socket.send(f"number {number}")
            live = socket.expect("message", text=f"number {number}")
        events = bob.call("GET", HISTORY)["events"]
        self.assertEqual([event["text"] for event in events], [f"number {n}" for n in range(4)])
        self.assertEqual([event["from"]["nickname"] for event in events], ["Ada", "Bob"] * 2)
        self.assertEqual(events[-1], live)

    def test_history_is_there_after_a_restart(self) -> None:
        ada = self.person("Ada")
        socket = ada.connect()
        socket.send("remember me")
        before = socket.expect("message", text="remember me")
        self.restart()
        self.assertEqual(ada.call("GET", HISTORY)["events"], [before])

    def test_a_message_that_was_received_is_on_the_disk(self) -> None:
        ada = self.connect("Ada")
        ada.send("stored first")
        ada.expect("message", text="stored first")
        self.assertIn("stored first", self.stored_texts())

    def test_a_text_cannot_change_a_statement(self) -> None:
        ada = self.connect("Ada")
        text = "'); DELETE FROM events; --"
        ada.send(text)
        ada.expect("message", text=text)
        self.assertEqual(self.stored_texts(), [text])

    def test_a_refused_text_is_not_stored(self) -> None:
        ada = self.connect("Ada")
        for text in (" ", "a" * 4001):
            ada.send(text)
            ada.expect("error")
        self.assertEqual(self.stored_texts(), [])

    def test_history_is_for_users_only(self) -> None:
        self.assertEqual(Person(self, "Eve").request("GET", HISTORY).code, 401)

    def test_a_conversation_that_does_not_exist_is_not_found(self) -> None:
        ada = self.person("Ada")
        response = ada.try_call("GET", "/api/conversations/999/events")
        self.assertEqual(response.code, 404)
        self.assertEqual(json.loads(response.body)["error"]["code"], "not_found")
        socket = ada.connect()
        socket.send("hello?", conv=999)
        socket.expect("error", code="not_found")

    def stored_texts(self) -> list[str]:
        """Return the texts of all messages, read by another connection to the file."""
        with contextlib.closing(sqlite3.connect(self.file)) as other:
            return [text for (text,) in other.execute("SELECT text FROM events ORDER BY rowid")]
