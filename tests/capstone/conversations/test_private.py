"""Private chats: from whom to whom, one for two people, and what each sees of the other."""

import asyncio
from typing import Any

import sqlalchemy as sa
import tornado.testing

from capstone_chat.storage.tables import conversations
from tests.capstone.chat_case import PASSWORD, PeopleCase, Person


class PrivateCase(PeopleCase):
    async def gather(self) -> None:
        await super().gather()
        self.mallory = await self.person("mallory")

    async def open(self, person: Person, other: Person) -> dict[str, Any]:
        code, answer = await person.call("POST", f"/api/private/{other.id}")
        self.assertEqual(code, 200, answer)
        return dict(answer["conversation"])

    async def made(self) -> int:
        query = sa.select(sa.func.count()).select_from(conversations)
        return await self.chat.database.read(lambda c: c.scalars(query).one())


class OpenTest(PrivateCase):
    @tornado.testing.gen_test
    async def test_a_contact_leads_there_and_both_have_it(self) -> None:
        """C278"""
        await self.anna.call("POST", "/api/contacts", {"name": "bob"})
        lines = [await self.anna.connect(), await self.bob.connect()]
        chat = await self.open(self.anna, self.bob)
        peer = {"id": 2, "nickname": "Bob", "picture": None, "name": "bob"}
        seen = {name: chat[name] for name in ("kind", "title", "public", "role", "members")}
        self.assertEqual(
            seen, {"kind": "private", "title": "", "public": False, "role": "member", "members": 2}
        )
        self.assertEqual((chat["peer"], chat["head"], chat["unread"]), (peer, 2, 0))
        for line in lines:  # the one who made it and the one who is in it now both hear of it
            told = [event for event in await line.heard() if event["type"] == "member"]
            self.assertEqual((told[-1]["seq"], told[-1]["change"]), (2, "added"))
        _, state = await self.bob.call("GET", "/api/state")
        self.assertEqual(state["conversations"][0]["peer"]["name"], "anna")
        await lines[0].send(chat["id"], "hi")
        self.assertEqual((await lines[1].receive("message"))["text"], "hi")

    @tornado.testing.gen_test
    async def test_a_shared_group_leads_there_and_stays_open_after_it(self) -> None:
        group = await self.anna.group()
        await self.bob.join(group)
        chat = await self.open(self.bob, self.anna)
        await self.bob.call("DELETE", f"/api/groups/{group}/members/2")
        _, state = await self.bob.call("GET", "/api/state")
        self.assertEqual([one["id"] for one in state["conversations"]], [chat["id"]])
        line = await self.bob.connect()
        await line.send(chat["id"], "still here")
        await line.receive("ack")

    @tornado.testing.gen_test
    async def test_a_stranger_and_nobody_look_alike(self) -> None:
        answers = [
            await self.mallory.call("POST", f"/api/private/{other}")
            for other in (self.anna.id, 99, 0, 10**15 - 1)
        ]
        self.assertEqual(answers[0][0], 404)
        self.assertEqual([answer for answer in answers if answer != answers[0]], [])
        # Nor does it help that the other one has her as a contact.
        await self.anna.call("POST", "/api/contacts", {"name": "mallory"})
        code, _ = await self.mallory.call("POST", "/api/private/1")
        self.assertEqual((code, await self.made()), (404, 0))

    @tornado.testing.gen_test
    async def test_nobody_chats_with_themselves(self) -> None:
        code, answer = await self.anna.call("POST", "/api/private/1")
        self.assertEqual((code, answer["error"]["code"]), (403, "yourself"))

    @tornado.testing.gen_test
    async def test_two_people_have_one_also_when_both_open_it_at_once(self) -> None:
        await self.anna.call("POST", "/api/contacts", {"name": "bob"})
        await self.bob.call("POST", "/api/contacts", {"name": "anna"})
        pairs = [(self.anna, self.bob), (self.bob, self.anna)] * 4
        chats = await asyncio.gather(*(self.open(*pair) for pair in pairs))
        self.assertEqual({chat["id"] for chat in chats}, {1})
        self.assertEqual({chat["head"] for chat in chats}, {2})
        self.assertEqual(await self.made(), 1)

    @tornado.testing.gen_test
    async def test_who_is_blocked_cannot_open_it_in_either_direction(self) -> None:
        await self.anna.call("POST", "/api/contacts", {"name": "bob"})
        await self.bob.call("POST", "/api/contacts", {"name": "anna"})
        await self.bob.call("PUT", "/api/contacts/1", {"blocked": True})
        for person, other in (self.anna, self.bob), (self.bob, self.anna):
            code, answer = await person.call("POST", f"/api/private/{other.id}")
            self.assertEqual((code, answer["error"]["code"]), (403, "blocked"))
        self.assertEqual(await self.made(), 0)

    @tornado.testing.gen_test
    async def test_when_the_peer_is_deleted_the_history_stays(self) -> None:
        await self.anna.call("POST", "/api/contacts", {"name": "bob"})
        chat = await self.open(self.anna, self.bob)
        line = await self.bob.connect()
        await line.send(chat["id"], "remember me")
        await line.receive("ack")
        code, _ = await self.bob.call("DELETE", "/api/me", {"password": PASSWORD})
        self.assertEqual(code, 204)
        self.assertEqual((await self.anna.call("POST", "/api/private/2"))[0], 404)
        _, state = await self.anna.call("GET", "/api/state")
        one = state["conversations"][0]
        self.assertEqual(one["peer"]["nickname"], "deleted user")
        self.assertEqual((one["unread"], one["last"]["text"]), (1, "remember me"))
        self.assertEqual(one["last"]["from"]["nickname"], "deleted user")

    @tornado.testing.gen_test
    async def test_nobody_writes_to_a_peer_who_is_deleted(self) -> None:
        await self.anna.call("POST", "/api/contacts", {"name": "bob"})
        conv = (await self.open(self.anna, self.bob))["id"]
        group = await self.anna.group()
        await self.bob.join(group)
        line = await self.anna.connect()
        await line.send(conv, "before")
        await line.receive("ack")
        _, answer = await self.anna.call("GET", f"/api/conversations/{conv}")
        self.assertIs(answer["conversation"]["peer_deleted"], False)
        await self.bob.call("DELETE", "/api/me", {"password": PASSWORD})
        await line.heard()
        await line.send(conv, "after")
        self.assertEqual((await line.receive("error"))["code"], "user_deleted")
        await line.say(type="typing", conv=conv)
        self.assertEqual((await line.receive("error"))["code"], "user_deleted")
        _, history = await self.anna.call("GET", f"/api/conversations/{conv}/events")
        self.assertEqual([one.get("text") for one in history["events"]][2:], ["before"])
        for path in f"/api/conversations/{conv}", "/api/state":
            _, answer = await self.anna.call("GET", path)
            one = answer.get("conversation") or next(
                one for one in answer["conversations"] if one["id"] == conv
            )
            self.assertIs(one["peer_deleted"], True)
        await line.send(group, "the others still hear me")
        await line.receive("ack")

    @tornado.testing.gen_test
    async def test_a_private_chat_is_no_group(self) -> None:
        await self.anna.call("POST", "/api/contacts", {"name": "bob"})
        conv = (await self.open(self.anna, self.bob))["id"]
        for method, path, body in (
            ("POST", "/join", {}),
            ("PATCH", "", {"title": "Ours"}),
            ("POST", "/members", {"name": "mallory"}),
            ("DELETE", "/members/1", {}),
            ("DELETE", "/members/2", {}),
            ("PUT", "/owner", {"user": 1}),
        ):
            with self.subTest(method=method, path=path):
                for person in self.anna, self.mallory:
                    code, _ = await person.call(method, f"/api/groups/{conv}{path}", body)
                    self.assertEqual(code, 404)
        _, found = await self.mallory.call("GET", "/api/groups")
        self.assertEqual(found, {"groups": [], "next": None})
        _, answer = await self.anna.call("GET", f"/api/conversations/{conv}/members")
        self.assertEqual([one["name"] for one in answer["members"]], ["anna", "bob"])


class ReadByTest(PrivateCase):
    @tornado.testing.gen_test
    async def test_the_writer_sees_how_far_the_other_has_read(self) -> None:
        await self.anna.call("POST", "/api/contacts", {"name": "bob"})
        conv = (await self.open(self.anna, self.bob))["id"]
        annas, bobs = await self.anna.connect(), await self.bob.connect()
        for text in "one", "two":
            await annas.send(conv, text)
            await annas.receive("ack")
        await annas.heard()
        _, state = await self.bob.call("GET", "/api/state")
        self.assertEqual(state["conversations"][0]["unread"], 2)
        await bobs.say(type="read", conv=conv, seq=3)
        expected = {"type": "read", "conv": conv, "seq": 3, "user": 2}
        self.assertEqual(await annas.receive(), expected)
        self.assertEqual(await bobs.receive("read"), expected)
        _, answer = await self.anna.call("GET", f"/api/conversations/{conv}")
        self.assertEqual(answer["conversation"]["peer_read"], 3)
        for seq in 3, 2, 99:  # nothing moves, so nothing is told
            await bobs.say(type="read", conv=conv, seq=seq)
        await bobs.heard()
        self.assertEqual(await annas.heard(), [])

    @tornado.testing.gen_test
    async def test_in_a_group_nobody_else_sees_it(self) -> None:
        conv = await self.anna.group()
        await self.bob.join(conv)
        annas, bobs = await self.anna.connect(), await self.bob.connect()
        await annas.send(conv, "one")
        await bobs.receive("message")
        await annas.heard()
        await bobs.say(type="read", conv=conv, seq=3)
        await bobs.receive("read")
        self.assertEqual(await annas.heard(), [])
        _, answer = await self.anna.call("GET", f"/api/conversations/{conv}")
        self.assertNotIn("peer_read", answer["conversation"])

    @tornado.testing.gen_test
    async def test_a_foreign_read_mark_is_refused_as_if_there_were_nothing(self) -> None:
        await self.anna.call("POST", "/api/contacts", {"name": "bob"})
        conv = (await self.open(self.anna, self.bob))["id"]
        line = await self.mallory.connect()
        errors = []
        for foreign in conv, 999:
            await line.say(type="read", conv=foreign, seq=1)
            errors.append(await line.receive())
        self.assertEqual(errors[0], errors[1])
        self.assertEqual((errors[0]["type"], errors[0]["code"]), ("error", "not_found"))
