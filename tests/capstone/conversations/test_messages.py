"""Deleting messages, finding them, and counting those that were not read."""

import json
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
import tornado.testing

from capstone_chat.storage.tables import events
from tests.capstone.chat_case import ChatCase, Line, Person


class MessagesCase(ChatCase):
    """A group of anna's that bob has joined; mallory has not."""

    options = {"send_burst": 1000, "request_burst": 1000}  # noqa: RUF012

    def setUp(self) -> None:
        super().setUp()
        self.io_loop.run_sync(self.gather)

    async def gather(self) -> None:
        self.anna = await self.person("anna", "Anna")
        self.bob = await self.person("bob", "Bob")
        self.mallory = await self.person("mallory")
        self.conv = await self.anna.group()
        await self.bob.join(self.conv)
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
        self.assertEqual(await self.delete(self.anna, 4), 403)  # the owner neither
        self.assertEqual([e["text"] for e in (await self.history())[2:]], ["anna's", "bob's"])

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
    async def test_a_deleted_message_is_neither_unread_nor_the_last_line(self) -> None:
        await self.write("one", "two")
        await self.delete(self.anna, 4)
        _, state = await self.bob.call("GET", "/api/state")
        group = state["conversations"][0]
        self.assertEqual((group["unread"], group["last"]["type"]), (1, "deleted"))
        self.assertNotIn("two", json.dumps(state))


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
        await self.write("100% wool", "snake_case", "back\\slash", "O'Brien", "a/b")
        for query, found in (
            ("%", ["100% wool"]),
            ("_", ["snake_case"]),
            ("\\", ["back\\slash"]),
            ("'", ["O'Brien"]),
            ("/", ["a/b"]),
            ("%%", []),
            ("1__", []),
            ("' OR 1=1 --", []),
            ("x'); DROP TABLE events; --", []),
        ):
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
