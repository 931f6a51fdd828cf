"""A removed member hears nothing more, only the owner may, and blocking holds."""

import asyncio
from typing import Any
from unittest import mock

import tornado.testing

from capstone_chat.accounts.snapshots import Snapshot
from capstone_chat.conversations.users import PublicUser
from tests.capstone.chat_case import Line
from tests.capstone.conversations.test_contacts import ContactsCase
from tests.capstone.conversations.test_groups import GroupsCase


class RemovedTest(GroupsCase):
    @tornado.testing.gen_test
    async def test_the_owner_removes_a_member_whose_sockets_hear_nothing_after_it(self) -> None:
        await self.carl.join(self.conv)
        annas, carls = await self.anna.connect(), await self.carl.connect()
        tabs = [await self.bob.connect(), await self.bob.connect()]
        await annas.send(self.conv, "before")
        await annas.receive("message")
        await self.group(self.anna, "DELETE", "/members/2", code=204)
        await annas.send(self.conv, "a secret of those who stay")
        await annas.receive("message")
        await annas.say(type="typing", conv=self.conv)
        await annas.receive("typing")
        removed = {
            "type": "member",
            "seq": 5,
            "from": self.who(self.anna),
            "change": "removed",
            "user": self.who(self.bob),
        }
        for tab in tabs:
            heard = await self.told(tab)
            self.assertEqual([event["seq"] for event in heard], [4, 5])
            self.assertEqual(heard[-1], removed)
            cid = await tab.send(self.conv, "let me in")
            error = await tab.receive("error")
            self.assertEqual((error["code"], error["cid"]), ("not_found", cid))
        self.assertEqual((await carls.heard())[-1]["type"], "typing")
        for path in "", "/events", "/members", "/search?query=secret":
            code, _ = await self.bob.call("GET", f"/api/conversations/{self.conv}{path}")
            self.assertEqual(code, 404)
        self.assertEqual(await self.roles(), {"anna": "owner", "carl": "member"})

    @tornado.testing.gen_test
    async def test_what_was_said_in_the_same_commit_after_the_removal_is_not_heard(self) -> None:
        annas, bobs = await self.anna.connect(), await self.bob.connect()
        removal = self.group(self.anna, "DELETE", "/members/2", code=204)
        sends = [annas.send(self.conv, f"m{n}") for n in range(20)]
        await asyncio.gather(removal, *sends)
        for _ in sends:
            await annas.receive("ack")
        heard = await self.told(bobs)
        self.assertEqual(heard[-1]["change"], "removed")
        self.assertEqual([event["seq"] for event in heard], list(range(3, heard[-1]["seq"] + 1)))

    @tornado.testing.gen_test
    async def test_a_removal_amid_opening_a_socket_holds(self) -> None:
        read = self.chat.snapshots.read

        async def interrupted(user: PublicUser, token: str) -> Snapshot | None:
            found = await read(user, token)
            if user.id == 2:
                await self.group(self.anna, "DELETE", "/members/2", code=204)
            return found

        with mock.patch.object(self.chat.snapshots, "read", interrupted):
            bobs = await self.bob.connect()
        self.assertEqual(bobs.hello["heads"], {})
        annas = await self.anna.connect()
        await annas.send(self.conv, "a secret")
        await annas.receive("message")
        self.assertEqual(await self.told(bobs), [])

    @tornado.testing.gen_test
    async def test_only_the_owner_may(self) -> None:
        await self.carl.join(self.conv)
        for method, path, body in (
            ("PATCH", "", {"title": "Mine"}),
            ("PATCH", "", {"description": "Mine"}),
            ("PATCH", "", {"public": False}),
            ("POST", "/members", {"name": "mallory"}),
            ("DELETE", "/members/1", {}),
            ("DELETE", "/members/3", {}),
            ("PUT", "/owner", {"user": 2}),
        ):
            with self.subTest(method=method, path=path, body=body):
                answer = await self.group(self.bob, method, path, body, code=403)
                self.assertEqual(answer["error"]["code"], "not_owner")
                answer = await self.group(self.mallory, method, path, body, code=404)
                code, nothing = await self.mallory.call(method, f"/api/groups/999{path}", body)
                self.assertEqual((code, nothing), (404, answer))
        _, state = await self.bob.call("GET", "/api/state")
        self.assertEqual(state["conversations"][0]["head"], 3)


class BlockedTest(ContactsCase):
    """In a private chat neither of the two reaches the other once one has blocked."""

    async def talk(self) -> tuple[int, Line, Line]:
        await self.add(self.anna, self.bob)
        _, answer = await self.anna.call("POST", "/api/private/2")
        return answer["conversation"]["id"], await self.anna.connect(), await self.bob.connect()

    async def refused(self, line: Line, **frame: Any) -> str:
        await line.say(**frame)
        return str((await line.receive("error"))["code"])

    @tornado.testing.gen_test
    async def test_neither_writes_nor_types_nor_shows_what_was_read(self) -> None:
        conv, annas, bobs = await self.talk()
        await annas.send(conv, "before")
        await bobs.receive("message")
        for blocker, other in (self.anna, self.bob), (self.bob, self.anna):
            with self.subTest(blocker=blocker.name):
                await self.block(blocker, other)
                for line in annas, bobs:
                    await line.heard()
                for line in annas, bobs:
                    cid = await line.send(conv, "let me through")
                    error = await line.receive("error")
                    self.assertEqual((error["code"], error["cid"]), ("blocked", cid))
                    self.assertEqual(await self.refused(line, type="typing", conv=conv), "blocked")
                for line in annas, bobs:
                    self.assertEqual(await line.heard(), [])
                await self.block(blocker, other, blocked=False)
        _, history = await self.bob.call("GET", f"/api/conversations/{conv}/events")
        texts = [event["text"] for event in history["events"] if event["type"] == "message"]
        self.assertEqual(texts, ["before"])

    @tornado.testing.gen_test
    async def test_a_read_mark_is_the_readers_own_while_one_has_blocked(self) -> None:
        conv, annas, bobs = await self.talk()
        tab = await self.bob.connect()
        for number in range(3):
            await annas.send(conv, f"m{number}")
            await annas.receive("ack")
        await bobs.say(type="read", conv=conv, seq=3)
        await annas.receive("read")
        for blocker, other, seq in (self.anna, self.bob, 4), (self.bob, self.anna, 5):
            with self.subTest(blocker=blocker.name):
                await self.block(blocker, other)
                for line in annas, bobs, tab:
                    await line.heard()
                await bobs.say(type="read", conv=conv, seq=seq)
                self.assertEqual((await tab.receive("read"))["seq"], seq)
                self.assertEqual(await annas.heard(), [])
                path = f"/api/conversations/{conv}"
                _, answer = await self.anna.call("GET", path)
                self.assertEqual(answer["conversation"]["peer_read"], 0)
                _, answer = await self.bob.call("GET", path)
                self.assertEqual(answer["conversation"]["read"], seq)
                await self.block(blocker, other, blocked=False)
                _, answer = await self.anna.call("GET", path)
                self.assertEqual(answer["conversation"]["peer_read"], seq)

    @tornado.testing.gen_test
    async def test_after_unblocking_they_write_again(self) -> None:
        conv, annas, bobs = await self.talk()
        await self.block(self.bob, self.anna)
        cid = await annas.send(conv, "hello?")
        self.assertEqual((await annas.receive("error"))["code"], "blocked")
        await self.block(self.bob, self.anna, blocked=False)
        await annas.send(conv, "hello?", cid)
        self.assertEqual((await annas.receive("ack"))["seq"], 3)
        self.assertEqual((await bobs.receive("message"))["text"], "hello?")

    @tornado.testing.gen_test
    async def test_in_a_shared_group_both_go_on(self) -> None:
        conv = await self.anna.group()
        await self.bob.join(conv)
        await self.block(self.anna, self.bob)
        bobs, annas = await self.bob.connect(), await self.anna.connect()
        await bobs.send(conv, "to all")
        self.assertEqual((await annas.receive("message"))["text"], "to all")
