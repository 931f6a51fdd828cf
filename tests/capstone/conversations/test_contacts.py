"""Contacts, blocking, and who sees who is there."""

import asyncio
from typing import Any
from unittest import mock

import tornado.testing

from capstone_chat.accounts.snapshots import Snapshot
from capstone_chat.conversations.users import PublicUser
from capstone_chat.realtime import topics
from capstone_chat.storage.tables import users
from tests.capstone.chat_case import PeopleCase, Person


class ContactsCase(PeopleCase):
    async def add(self, person: Person, other: Person) -> None:
        code, answer = await person.call("POST", "/api/contacts", {"name": other.name})
        self.assertEqual(code, 201, answer)

    async def block_stranger(self, person: Person, other: Person) -> None:
        body = {"name": other.name, "blocked": True}
        code, answer = await person.call("POST", "/api/contacts", body)
        self.assertEqual(code, 201, answer)

    async def block(self, person: Person, other: Person, *, blocked: bool = True) -> None:
        path = f"/api/contacts/{other.id}"
        code, answer = await person.call("PUT", path, {"blocked": blocked})
        self.assertEqual(code, 200, answer)

    async def remove(self, person: Person, other: Person) -> None:
        code, answer = await person.call("DELETE", f"/api/contacts/{other.id}")
        self.assertEqual(code, 204, answer)

    async def contacts(self, person: Person) -> list[dict[str, Any]]:
        _, answer = await person.call("GET", "/api/contacts")
        _, state = await person.call("GET", "/api/state")
        self.assertEqual(answer["contacts"], state["contacts"])
        return list(answer["contacts"])


class ListTest(ContactsCase):
    @tornado.testing.gen_test
    async def test_somebody_is_added_by_user_name_however_it_is_written(self) -> None:
        """C275"""
        bob = {
            "id": 2,
            "nickname": "Bob",
            "picture": None,
            "name": "bob",
            "blocked": False,
            "online": False,
        }
        for name in "bob", "BOB", "  Bob ", "ｂｏｂ":
            with self.subTest(name=name):
                code, answer = await self.anna.call("POST", "/api/contacts", {"name": name})
                self.assertEqual((code, answer), (201, {"contact": bob}))
        self.assertEqual(await self.contacts(self.anna), [bob])
        self.assertEqual(await self.contacts(self.bob), [])

    @tornado.testing.gen_test
    async def test_contacts_come_in_the_order_of_their_ids(self) -> None:
        for name, nickname in ("zoe", "Aaron"), ("carl", "Carl"):
            await self.add(self.anna, await self.person(name, nickname))
        await self.add(self.anna, self.bob)
        nicknames = [contact["nickname"] for contact in await self.contacts(self.anna)]
        self.assertEqual(nicknames, ["Bob", "Aaron", "Carl"])

    @tornado.testing.gen_test
    async def test_nobody_adds_or_blocks_themselves(self) -> None:
        for method, path, body in (
            ("POST", "/api/contacts", {"name": "ANNA"}),
            ("PUT", "/api/contacts/1", {}),
            ("PUT", "/api/contacts/1", {"blocked": True}),
        ):
            code, answer = await self.anna.call(method, path, body)
            self.assertEqual((code, answer["error"]["code"]), (403, "yourself"))
        self.assertEqual(await self.contacts(self.anna), [])

    @tornado.testing.gen_test
    async def test_who_does_not_exist_is_not_found(self) -> None:
        for name in "nobody", "", "x", "bob'--", "b%", "x" * 999:
            with self.subTest(name=name[:20]):
                code, answer = await self.anna.call("POST", "/api/contacts", {"name": name})
                self.assertEqual((code, answer["error"]["code"]), (404, "not_found"))
        for other in 0, 99, 10**15 - 1:
            code, answer = await self.anna.call("PUT", f"/api/contacts/{other}", {})
            self.assertEqual((code, answer["error"]["code"]), (404, "not_found"))

    @tornado.testing.gen_test
    async def test_wrong_fields_are_named(self) -> None:
        code, answer = await self.anna.call("POST", "/api/contacts", {"name": 7})
        self.assertEqual((code, answer["error"]["field"]), (400, "name"))
        for wrong in "yes", 1, None:
            code, answer = await self.anna.call("PUT", "/api/contacts/2", {"blocked": wrong})
            self.assertEqual((code, answer["error"]["field"]), (400, "blocked"))

    @tornado.testing.gen_test
    async def test_blocking_unblocking_and_removing_are_seen_in_the_list(self) -> None:
        await self.add(self.anna, self.bob)
        for blocked in True, True, False, False:
            await self.block(self.anna, self.bob, blocked=blocked)
            states = [contact["blocked"] for contact in await self.contacts(self.anna)]
            self.assertEqual(states, [blocked])
        await self.block(self.anna, self.bob)
        await self.add(self.anna, self.bob)  # to add is to unblock
        self.assertFalse((await self.contacts(self.anna))[0]["blocked"])
        for _ in range(2):  # to remove twice is nothing
            await self.remove(self.anna, self.bob)
            self.assertEqual(await self.contacts(self.anna), [])

    @tornado.testing.gen_test
    async def test_a_stranger_can_be_blocked_before_they_write(self) -> None:
        await self.block_stranger(self.anna, self.bob)
        await self.add(self.bob, self.anna)
        code, answer = await self.bob.call("POST", "/api/private/1")
        self.assertEqual((code, answer["error"]["code"]), (403, "blocked"))

    @tornado.testing.gen_test
    async def test_a_disabled_or_deleted_user_cannot_be_added(self) -> None:
        code, _ = await self.bob.call("DELETE", "/api/me", {"password": "correct horse battery"})
        self.assertEqual(code, 204)
        for method, path, body in (
            ("POST", "/api/contacts", {"name": "bob"}),
            ("PUT", "/api/contacts/2", {}),
        ):
            self.assertEqual((await self.anna.call(method, path, body))[0], 404)

    @tornado.testing.gen_test
    async def test_only_the_whole_user_name_finds_somebody(self) -> None:
        bob = {"id": 2, "nickname": "Bob", "picture": None, "name": "bob"}
        for name, user in ("bob", bob), ("BOB", bob), ("bo", None), ("bobb", None), ("", None):
            with self.subTest(name=name):
                found = await self.anna.call("GET", f"/api/users?name={name}")
                self.assertEqual(found, (200, {"user": user}))
        gone = users.update().where(users.c.id == 2).values(disabled_at=1)
        await self.chat.database.write(lambda connection: connection.execute(gone))
        self.assertEqual(await self.anna.call("GET", "/api/users?name=bob"), (200, {"user": None}))

    @tornado.testing.gen_test
    async def test_names_are_tried_no_faster_than_contacts_are_added(self) -> None:
        self.chat.request_limiter.burst = 0
        code, _ = await self.anna.call("GET", "/api/users?name=bob")
        self.assertEqual(code, 429)


class PresenceTest(ContactsCase):
    def presence(self, *, online: bool, user: int = 2) -> dict[str, Any]:
        return {"type": "presence", "user": user, "online": online}

    @tornado.testing.gen_test
    async def test_a_contact_is_seen_from_the_first_socket_to_the_last(self) -> None:
        await self.add(self.anna, self.bob)
        anna = await self.anna.connect()
        self.assertEqual(anna.hello["online"], [])
        first = await self.bob.connect()
        self.assertEqual(await anna.heard(), [self.presence(online=True)])
        second = await self.bob.connect()
        self.assertEqual(await anna.heard(), [])
        self.assertTrue((await self.contacts(self.anna))[0]["online"])
        self.assertEqual((await self.anna.connect()).hello["online"], [2])
        first.socket.close()
        await self.until(lambda: self.chat.hub.subscriber_count(topics.user(2)) == 1)
        self.assertEqual(await anna.heard(), [])
        second.socket.close()
        self.assertEqual(await anna.receive(), self.presence(online=False))
        self.assertFalse((await self.contacts(self.anna))[0]["online"])

    @tornado.testing.gen_test
    async def test_two_sockets_that_open_at_once_are_seen_as_one_coming(self) -> None:
        await self.add(self.anna, self.bob)
        anna = await self.anna.connect()
        await asyncio.gather(*(self.bob.connect() for _ in range(3)))
        self.assertEqual(await anna.heard(), [self.presence(online=True)])

    @tornado.testing.gen_test
    async def test_logging_out_is_seen(self) -> None:
        await self.add(self.anna, self.bob)
        anna, bob = await self.anna.connect(), await self.bob.connect()
        await anna.receive("presence")
        await self.bob.log_out()
        self.assertEqual(await bob.closed(), 3500)
        self.assertEqual(await anna.receive(), self.presence(online=False))

    @tornado.testing.gen_test
    async def test_who_has_not_added_somebody_sees_nothing(self) -> None:
        conv = await self.anna.group()
        await self.bob.join(conv)  # also not in a shared group
        await self.add(self.bob, self.anna)
        anna = await self.anna.connect()
        bob = await self.bob.connect()
        self.assertEqual(bob.hello["online"], [1])
        self.assertEqual((anna.hello["online"], await anna.heard()), ([], []))

    @tornado.testing.gen_test
    async def test_a_new_contact_is_seen_by_open_sockets_from_then_on(self) -> None:
        anna = await self.anna.connect()
        await self.add(self.anna, self.bob)
        bob = await self.bob.connect()
        self.assertEqual(await anna.receive(), self.presence(online=True))
        await self.remove(self.anna, self.bob)
        self.assertEqual(await anna.heard(), [self.presence(online=False)])
        bob.socket.close()
        await self.until(lambda: len(self.chat.hub) == 1)
        self.assertEqual(await anna.heard(), [])

    @tornado.testing.gen_test
    async def test_neither_of_two_sees_the_other_once_one_has_blocked(self) -> None:
        await self.add(self.anna, self.bob)
        await self.add(self.bob, self.anna)
        for blocker, other in (self.anna, self.bob), (self.bob, self.anna):
            with self.subTest(blocker=blocker.name):
                lines = [await blocker.connect(), await other.connect()]
                await asyncio.gather(*(line.heard() for line in lines))
                await self.block(blocker, other)
                for line, gone in zip(lines, (other, blocker), strict=True):
                    self.assertEqual(
                        await line.heard(), [self.presence(online=False, user=gone.id)]
                    )
                for one in blocker, other:
                    self.assertFalse((await self.contacts(one))[0]["online"])
                    again = await one.connect()
                    self.assertEqual(again.hello["online"], [])
                    again.socket.close()
                await self.until(lambda: len(self.chat.hub) == 2)
                for line in lines:
                    line.socket.close()
                await self.until(lambda: len(self.chat.hub) == 0)
                # Coming and going is not seen either.
                watcher = await other.connect()
                (await blocker.connect()).socket.close()
                await self.until(lambda: len(self.chat.hub) == 1)
                self.assertEqual(await watcher.heard(), [])
                watcher.socket.close()
                await self.until(lambda: len(self.chat.hub) == 0)
                await self.block(blocker, other, blocked=False)
                watcher = await other.connect()
                back = await blocker.connect()
                self.assertEqual(
                    await watcher.receive(), self.presence(online=True, user=blocker.id)
                )
                for line in watcher, back:
                    line.socket.close()
                await self.until(lambda: len(self.chat.hub) == 0)

    @tornado.testing.gen_test
    async def test_a_block_amid_opening_a_socket_holds(self) -> None:
        await self.add(self.anna, self.bob)
        await self.bob.connect()
        read = self.chat.snapshots.read

        async def interrupted(user: PublicUser, token: str) -> Snapshot | None:
            found = await read(user, token)
            await self.block_stranger(self.bob, self.anna)
            return found

        with mock.patch.object(self.chat.snapshots, "read", interrupted):
            anna = await self.anna.connect()
        self.assertEqual(anna.hello["online"], [])
        await self.bob.connect()
        self.assertEqual(
            [event for event in await anna.heard() if event != self.presence(online=False)], []
        )
