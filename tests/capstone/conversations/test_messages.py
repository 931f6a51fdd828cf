"""Deleting messages, finding them, and counting those that were not read."""

import itertools
import json
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
import tornado.testing

from capstone_chat.storage.tables import events
from tests.capstone.chat_case import Line, Person, held_up
from tests.capstone.socket_case import SocketCase


class MessagesCase(SocketCase):
    """A group of anna's that bob has joined, with a connection of anna's."""

    options = {"send_burst": 1000, "request_burst": 1000}  # noqa: RUF012

    async def gather(self) -> None:
        await super().gather()
        self.annas = await self.anna.connect()

    async def write(self, *texts: str, line: Line | None = None) -> list[int]:
        line = line or self.annas
        for text in texts:
            await line.send(self.conv, text)
        return [(await line.receive("ack"))["seq"] for _ in texts]

    async def delete(self, person: Person, seq: int) -> int:
        path = f"/api/conversations/{self.conv}/events/{seq}"
        code, _ = await person.call("DELETE", path)
        return code

    async def history(self) -> list[dict[str, Any]]:
        _, answer = await self.bob.call("GET", f"/api/conversations/{self.conv}/events")
        return list(answer["events"])

    async def find(
        self, text: str, *, code: int = 200, person: Person | None = None, **more: Any
    ) -> Any:
        query = urlencode({"query": text, **more})
        path = f"/api/conversations/{self.conv}/search?{query}"
        status, answer = await (person or self.bob).call("GET", path)
        self.assertEqual(status, code, answer)
        return answer

    async def texts(self, query: str) -> list[str]:
        return [event["text"] for event in (await self.find(query))["events"]]


class DeleteTest(MessagesCase):
    @tornado.testing.gen_test
    async def test_a_deleted_message_keeps_its_place_and_loses_its_text(self) -> None:
        bobs = await self.bob.connect()
        await self.write("stays", "a slip of the tongue")
        self.assertEqual(await self.delete(self.anna, 4), 204)
        event = next(event for event in await bobs.heard() if event["type"] == "deleted")
        at = event.pop("at")
        anna = {"id": 1, "nickname": "Anna", "picture": None}
        expected = {"type": "deleted", "conv": self.conv, "seq": 5, "from": anna, "target": 4}
        self.assertEqual(event, expected)
        history = await self.history()
        self.assertEqual([event["seq"] for event in history], [1, 2, 3, 4, 5])
        self.assertEqual([event["text"] for event in history[2:4]], ["stays", None])
        self.assertEqual(history[4], expected | {"at": at})

    @tornado.testing.gen_test
    async def test_its_text_is_nowhere_in_the_database(self) -> None:
        await self.write("a slip of the tongue")
        await self.delete(self.anna, 3)
        query = sa.select(events).where(events.c.seq == 3)
        row = await self.chat.database.read(lambda c: c.execute(query).one())
        self.assertEqual((row.text, row.folded), (None, None))
        rows = await self.chat.database.read(lambda c: c.execute(sa.select(events)).all())
        self.assertNotIn("slip", str(rows))

    @tornado.testing.gen_test
    async def test_only_ones_own_message_can_be_deleted(self) -> None:
        await self.write("anna's")
        bobs = await self.bob.connect()
        await self.write("bob's", line=bobs)
        code, answer = await self.bob.call("DELETE", f"/api/conversations/{self.conv}/events/3")
        self.assertEqual((code, answer["error"]["code"]), (403, "not_yours"))
        self.assertEqual(await self.delete(self.bob, 4), 204)
        self.assertEqual([e["text"] for e in (await self.history())[2:4]], ["anna's", None])

    @tornado.testing.gen_test
    async def test_the_owner_deletes_the_messages_of_others_and_the_order_of_events_says_so(
        self,
    ) -> None:
        bobs = await self.bob.connect()
        await self.write("rude", line=bobs)
        self.assertEqual(await self.delete(self.anna, 3), 204)
        event = await bobs.receive("deleted")
        who = [event[name]["nickname"] for name in ("from", "user")]
        self.assertEqual((who, event["target"]), (["Anna", "Bob"], 3))
        self.assertEqual((await self.history())[-1], event)
        body = {"user": self.bob.id}
        await self.anna.call("PUT", f"/api/groups/{self.conv}/owner", body)
        await self.write("bob's", line=bobs)
        self.assertEqual(await self.delete(self.anna, 6), 403)  # no longer the owner

    @tornado.testing.gen_test
    async def test_what_is_no_message_or_not_ones_to_see_is_not_found(self) -> None:
        await self.write("anna's")
        for seq in 1, 2, 0, 4, 10**15 - 1:  # two changes of the group, and places without an event
            self.assertEqual(await self.delete(self.anna, seq), 404)
        answers = [
            await self.mallory.call("DELETE", f"/api/conversations/{conv}/events/3")
            for conv in (self.conv, 999)
        ]
        self.assertEqual(answers[0][0], 404)
        self.assertEqual(answers[0], answers[1])

    @tornado.testing.gen_test
    async def test_to_delete_twice_is_one_event(self) -> None:
        await self.write("twice")
        self.assertEqual([await self.delete(self.anna, 3) for _ in range(2)], [204, 204])
        self.assertEqual((await self.history())[-1]["seq"], 4)

    @tornado.testing.gen_test
    async def test_a_message_that_is_sent_again_after_its_deletion_stays_deleted(self) -> None:
        cid = await self.annas.send(self.conv, "once")
        first = await self.annas.receive("ack")
        await self.delete(self.anna, 3)
        await self.annas.send(self.conv, "once", cid)
        self.assertEqual(await self.annas.receive("ack"), first)
        history = await self.history()
        self.assertEqual([event["type"] for event in history[2:]], ["message", "deleted"])
        self.assertIsNone(history[2]["text"])

    @tornado.testing.gen_test
    async def test_a_deleted_message_is_not_unread_and_its_deletion_is_not_the_last_line(
        self,
    ) -> None:
        await self.write("one", "two", "three")
        for deleted, last, unread in (3, "three", 2), (5, None, 1):
            await self.delete(self.anna, deleted)
            _, state = await self.bob.call("GET", "/api/state")
            group = state["conversations"][0]
            self.assertEqual((group["last"]["seq"], group["last"]["text"]), (5, last))
            self.assertEqual(group["unread"], unread)
        self.assertNotIn("three", json.dumps(state))


class EditTest(MessagesCase):
    async def edit(self, seq: int, text: str, *, cid: str | None = None) -> dict[str, Any]:
        """Edit a message as anna, and return the response without `at`."""
        cid = await self.annas.edit(self.conv, seq, text, cid)
        answer = await self.annas.receive("ack", "error")
        self.assertEqual(answer.pop("cid"), cid)
        answer.pop("at", None)
        return answer

    @tornado.testing.gen_test
    async def test_an_edit_is_an_event_and_the_message_in_its_place_has_the_newest_text(
        self,
    ) -> None:
        bobs = await self.bob.connect()
        await self.write("helo", "more")
        ack = await self.edit(3, " hello ")
        self.assertEqual(ack, {"type": "ack", "conv": self.conv, "seq": 5})
        event = await bobs.receive("edited")
        anna = {"id": 1, "nickname": "Anna", "picture": None}
        shape = {"type": "edited", "conv": self.conv, "seq": 5, "from": anna, "target": 3}
        self.assertEqual(event, shape | {"at": event["at"], "text": " hello"})
        message, _, edit = (await self.history())[2:]
        self.assertEqual((message["text"], message["edited"], edit), (" hello", 5, event))
        await self.edit(3, "hello!")
        message, _, *edits = (await self.history())[2:]
        self.assertEqual((message["text"], message["edited"]), ("hello!", 6))
        self.assertEqual([one["text"] for one in edits], ["hello!"] * 2)

    @tornado.testing.gen_test
    async def test_search_preview_and_unread_follow_the_newest_text(self) -> None:
        await self.write("helo")
        await self.edit(3, "hello")
        self.assertEqual((await self.texts("helo"), await self.texts("hello")), ([], ["hello"]))
        _, state = await self.bob.call("GET", "/api/state")
        group = state["conversations"][0]
        last = group["last"]
        self.assertEqual((last["seq"], last["text"], last["edited"]), (3, "hello", 4))
        self.assertEqual((group["unread"], group["head"]), (1, 4))
        await self.delete(self.anna, 3)
        self.assertEqual(await self.texts("hello"), [])
        texts = [event.get("text") for event in await self.history()]
        self.assertNotIn("hello", texts)

    @tornado.testing.gen_test
    async def test_an_edit_that_is_sent_again_changes_nothing_also_after_a_later_one(self) -> None:
        await self.write("one")
        cid = await self.annas.edit(self.conv, 3, "two")
        first = await self.annas.receive("ack")
        self.assertEqual((await self.edit(3, "two", cid=cid))["seq"], first["seq"])
        conflict = await self.edit(3, "another text", cid=cid)
        self.assertEqual(conflict["code"], "conflict")
        self.assertEqual((await self.edit(3, "three"))["seq"], 5)
        self.assertEqual((await self.edit(3, "two", cid=cid))["seq"], first["seq"])
        self.assertEqual(await self.texts("three"), ["three"])
        self.assertEqual((await self.history())[-1]["seq"], 5)

    @tornado.testing.gen_test
    async def test_a_message_that_is_sent_again_after_its_edit_stays_edited(self) -> None:
        cid = await self.annas.send(self.conv, "helo")
        first = await self.annas.receive("ack")
        await self.edit(3, "hello")
        await self.annas.send(self.conv, "helo", cid)
        self.assertEqual(await self.annas.receive("ack"), first)
        self.assertEqual(await self.texts("hel"), ["hello"])
        for frame in ({"seq": 3, "type": "edit"}, {"type": "send", "reply": 3}):
            await self.annas.say(**frame, conv=self.conv, cid=cid, text="helo")
            self.assertEqual((await self.annas.receive("error"))["code"], "conflict")

    @tornado.testing.gen_test
    async def test_edits_of_one_commit_are_carried_out_in_their_order(self) -> None:
        await self.write("zero")
        async with held_up(self.chat.database):
            for text in "one", "two", "three":
                await self.annas.edit(self.conv, 3, text)
            await self.quiet(self.annas)
        acks = [(await self.annas.receive("ack"))["seq"] for _ in range(3)]
        message = (await self.history())[2]
        self.assertEqual((acks, message["text"], message["edited"]), ([4, 5, 6], "three", 6))


class ReplyTest(MessagesCase):
    async def quotes(self) -> list[dict[str, Any] | None]:
        return [event.get("reply") for event in await self.history() if event["seq"] > 2]

    @tornado.testing.gen_test
    async def test_a_reply_quotes_the_first_line_of_the_message(self) -> None:
        bobs = await self.bob.connect()
        await self.write(f"Shall we?\nAt noon, {'x' * 3000}", "y" * 200)
        await bobs.send(self.conv, "Yes", reply=3)
        await bobs.receive("ack")
        event = await self.annas.receive("message")
        while event["text"] != "Yes":
            event = await self.annas.receive("message")
        anna = {"id": 1, "nickname": "Anna", "picture": None}
        quote = {"seq": 3, "from": anna, "text": "Shall we?"}
        self.assertEqual(event["reply"], quote)
        self.assertEqual(await self.quotes(), [None, None, quote])
        await bobs.send(self.conv, "Why", reply=4)
        await bobs.receive("ack")
        self.assertEqual((await self.history())[-1]["reply"]["text"], "y" * 120)
        await self.write("```python\nprint(1)\n```")
        seq = (await self.history())[-1]["seq"]
        await bobs.send(self.conv, "Two", reply=seq)
        await bobs.receive("ack")
        self.assertEqual((await self.history())[-1]["reply"]["text"], "print(1)")

    @tornado.testing.gen_test
    async def test_the_quote_follows_an_edit_and_a_deletion_of_the_message(self) -> None:
        await self.write("helo", "more")
        await self.annas.send(self.conv, "hi", reply=3)
        await self.annas.edit(self.conv, 3, "hello")
        await self.annas.receive("edited")
        anna = {"id": 1, "nickname": "Anna", "picture": None}
        self.assertEqual(
            (await self.quotes())[2], {"seq": 3, "from": anna, "text": "hello", "edited": 6}
        )
        await self.delete(self.anna, 3)
        self.assertEqual((await self.quotes())[2], {"seq": 3, "from": anna, "text": None})
        await self.annas.send(self.conv, "to a deleted message", reply=3)
        await self.annas.receive("ack")
        self.assertEqual((await self.quotes())[-1], {"seq": 3, "from": anna, "text": None})

    @tornado.testing.gen_test
    async def test_a_reply_that_is_sent_again_is_stored_once(self) -> None:
        await self.write("first")
        cid = await self.annas.send(self.conv, "again", reply=3)
        ack = await self.annas.receive("ack")
        await self.annas.send(self.conv, "again", cid, reply=3)
        self.assertEqual(await self.annas.receive("ack"), ack)
        await self.annas.send(self.conv, "again", cid)
        self.assertEqual((await self.annas.receive("error"))["code"], "conflict")


SIGNS = {
    "%": ["100% wool"],
    "_": ["snake_case"],
    "\\": ["back\\slash"],
    "'": ["O'Brien"],
    "/": ["a/b"],
    "%%": [],
    "1__": [],
    "' OR 1=1 --": [],
    "x'); DROP TABLE events; --": [],
}
"""What a search for signs of SQL finds, of the five texts that it finds in all."""


class FindTest(MessagesCase):
    @tornado.testing.gen_test
    async def test_a_part_of_a_text_in_any_case_and_width_finds_it(self) -> None:
        await self.write("The Tomatoes are ready", "Чай готов", "你好，世界", "Straße", "Café")
        for query, found in (
            ("tomatoes ARE", ["The Tomatoes are ready"]),
            ("чАЙ", ["Чай готов"]),
            ("世界", ["你好，世界"]),
            ("ｔｏｍａ", ["The Tomatoes are ready"]),
            ("STRASSE", ["Straße"]),
            ("cafe\u0301", ["Café"]),
            ("cafe", ["Café"]),
            ("nothing", []),
        ):
            with self.subTest(query=query):
                self.assertEqual(await self.texts(query), found)

    @tornado.testing.gen_test
    async def test_signs_of_sql_and_like_are_only_text(self) -> None:
        await self.write(*itertools.chain.from_iterable(SIGNS.values()))
        for query, found in SIGNS.items():
            with self.subTest(query=query):
                self.assertEqual(await self.texts(query), found)

    @tornado.testing.gen_test
    async def test_the_newest_come_first_a_page_at_a_time(self) -> None:
        await self.write(*(f"tomato {n}" for n in range(3, 68)), "something else")
        seqs: list[int] = []
        more: dict[str, Any] = {}
        for goes_on in True, True, False:
            answer = await self.find("tomato", **more)
            seqs += [event["seq"] for event in answer["events"]]
            self.assertEqual(answer["next"], seqs[-1] if goes_on else None)
            more = {"before": seqs[-1]}
        self.assertEqual(seqs, list(range(67, 2, -1)))

    @tornado.testing.gen_test
    async def test_a_found_message_is_the_event_of_the_history(self) -> None:
        await self.write("find me")
        self.assertEqual((await self.find("find me"))["events"], (await self.history())[-1:])

    @tornado.testing.gen_test
    async def test_changes_of_the_group_and_deleted_messages_are_not_found(self) -> None:
        await self.write("created by mistake")
        await self.anna.call("PATCH", f"/api/groups/{self.conv}", {"title": "created later"})
        self.assertEqual(await self.texts("created"), ["created by mistake"])
        await self.delete(self.anna, 3)
        self.assertEqual(await self.texts("created"), [])

    @tornado.testing.gen_test
    async def test_to_a_stranger_a_conversation_looks_like_none(self) -> None:
        await self.write("a secret")
        for query in "secret", "":
            answer = await self.find(query, code=404, person=self.mallory)
            path = f"/api/conversations/999/search?query={query}"
            self.assertEqual(await self.mallory.call("GET", path), (404, answer))

    @tornado.testing.gen_test
    async def test_an_empty_or_endless_query_is_no_trouble(self) -> None:
        await self.write("x" * 4000)
        self.assertEqual((await self.find(""))["events"], [])
        self.assertEqual(len(await self.texts("x" * 2000)), 1)
        self.assertEqual(await self.texts("%" * 2000), [])
        code, answer = await self.bob.call(
            "GET", f"/api/conversations/{self.conv}/search?query=x&before=y"
        )
        self.assertEqual((code, answer["error"]["field"]), (400, "before"))


class UnreadTest(MessagesCase):
    async def unread(self) -> int:
        _, state = await self.bob.call("GET", "/api/state")
        return int(state["conversations"][0]["unread"])

    @tornado.testing.gen_test
    async def test_only_messages_of_others_count(self) -> None:
        bobs = await self.bob.connect()
        await self.write("one")
        await self.write("my own", line=bobs)
        await self.anna.call("PATCH", f"/api/groups/{self.conv}", {"title": "Orchard"})
        await self.write("two")
        self.assertEqual(await self.unread(), 2)
        await bobs.say(type="read", conv=self.conv, seq=3)
        await bobs.receive("read")
        self.assertEqual(await self.unread(), 1)

    @tornado.testing.gen_test
    async def test_a_long_absence_is_counted_up_to_a_hundred(self) -> None:
        await self.write(*(f"m{n}" for n in range(130)))
        self.assertEqual(await self.unread(), 100)
