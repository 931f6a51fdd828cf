"""What is refused in one process is refused in all: two share a database server and Redis."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa
import tornado.testing

from capstone_chat.accounts.accounts import NameTaken
from capstone_chat.accounts.login_throttle import LoginThrottle
from capstone_chat.storage.database import now_ms
from capstone_chat.storage.tables import events, login_failures, members, users
from tests.capstone.chat_case import LESS_THAN_A_PING, PASSWORD, Person
from tests.capstone.two_nodes_case import TwoNodesCase


class Across(TwoNodesCase):
    """The tests; the classes below run them on each server."""

    __test__ = False
    options = {"send_burst": 2000, "request_burst": 1000}  # noqa: RUF012

    async def at_once(self, work: Callable[[int], Awaitable[Any]]) -> list[Any]:
        """Do something in both processes at the same time."""
        return [*await asyncio.gather(work(0), work(1), return_exceptions=True)]

    async def count(self, query: sa.Select[Any]) -> int:
        counted = sa.select(sa.func.count()).select_from(query.subquery())
        return await self.chat.database.read(lambda c: c.scalars(counted).one())

    @tornado.testing.gen_test
    async def test_a_captcha_is_worth_one_answer_in_all_processes_together(self) -> None:
        chats = self.chat, self.second.chat
        for _ in range(5):
            challenge = await self.chat.captchas.create("login", "browser")
            answer = self.answer(challenge)
            results = await asyncio.gather(
                *(chat.captchas.verify(challenge, "login", "browser", answer) for chat in chats)
            )
            self.assertEqual(sorted(results), [False, True])

    @tornado.testing.gen_test
    async def test_a_name_is_given_once(self) -> None:
        chats = self.chat, self.second.chat
        names = "zoe", "ZOE"
        results = await self.at_once(
            lambda n: chats[n].accounts.register(names[n], PASSWORD, "Zoe")
        )
        self.assertEqual(sum(isinstance(result, NameTaken) for result in results), 1)
        self.assertEqual(await self.count(sa.select(users).where(users.c.name_key == "zoe")), 1)
        await self.chat.accounts.register("zoë", PASSWORD, "Zoë")  # another name

    @tornado.testing.gen_test
    async def test_the_same_message_sent_to_both_is_stored_once_and_acknowledged_alike(
        self,
    ) -> None:
        lines = [await self.anna.connect(), await self.anna_there.connect()]
        cids = [str(uuid.uuid4()) for _ in range(20)]
        for cid in cids:
            await asyncio.gather(*(line.send(self.conv, f"text {cid}", cid) for line in lines))
        acks = []
        for line in lines:
            own: dict[str, int] = {}
            while len(own) < len(cids):
                event = await line.receive()
                self.assertNotEqual(event["type"], "error", event)
                if event["type"] == "ack":
                    own[event["cid"]] = event["seq"]
            acks.append(own)
        self.assertEqual(acks[0], acks[1])
        self.assertEqual(sorted(acks[0].values()), list(range(3, 23)))
        self.assertEqual(await self.count(sa.select(events).where(events.c.cid.in_(cids))), 20)

    @tornado.testing.gen_test
    async def test_many_conversations_written_by_both_have_no_gap(self) -> None:
        convs = [self.conv, *[await self.anna.group(f"group {n}") for n in range(5)]]
        for conv in convs[1:]:
            await self.bob.join(conv)
        lines = [await self.anna.connect(), await self.bob_there.connect()]

        async def write(number: int) -> None:
            for turn in range(120):
                place = turn if number else -turn  # the other way round
                await lines[number].send(convs[place % len(convs)], f"{turn}")
            for _ in range(120):
                await lines[number].receive("ack")

        self.assertEqual(await self.at_once(write), [None, None])
        query = sa.select(events.c.conversation_id, events.c.seq)
        rows = await self.chat.database.read(lambda c: c.execute(query).all())
        for conv in convs:
            seqs = sorted(seq for where, seq in rows if where == conv)
            self.assertEqual(seqs, list(range(1, 43)))

    @tornado.testing.gen_test
    async def test_who_joins_in_both_at_once_is_a_member_once(self) -> None:
        carl = await self.person("carl")
        carls = carl, self.second.visit(carl)
        await carl.token()
        results = await self.at_once(lambda n: carls[n].join(self.conv))
        self.assertEqual([result["id"] for result in results], [self.conv] * 2)
        mine = sa.select(members).where(members.c.user_id == carl.id)
        self.assertEqual(await self.count(mine), 1)
        told = sa.select(events).where(events.c.user_id == carl.id)
        self.assertEqual(await self.count(told), 1)

    @tornado.testing.gen_test
    async def test_a_group_never_has_two_owners_nor_none(self) -> None:
        carl = await self.person("carl")
        await carl.join(self.conv)
        annas, heirs = (self.anna, self.anna_there), (self.bob, carl)
        await self.anna.token()
        path = f"/api/groups/{self.conv}"
        results = await self.at_once(
            lambda n: annas[n].call("PUT", f"{path}/owner", {"user": heirs[n].id})
        )
        self.assertEqual(sorted(code for code, _ in results), [200, 403])
        owners = sa.select(members).where(members.c.role == "owner")
        self.assertEqual(await self.count(owners), 1)
        # The owner and the heir leave at once: somebody is left, and owns it.
        leavers = [self.bob, self.second.visit(carl)]
        for person in leavers:
            await person.token()
        await self.at_once(lambda n: leavers[n].call("DELETE", f"{path}/members/{leavers[n].id}"))
        self.assertEqual(await self.count(owners), 1)

    @tornado.testing.gen_test
    async def test_a_private_chat_opened_by_both_at_once_is_one(self) -> None:
        people = self.anna, self.bob_there
        await asyncio.gather(self.anna.token(), self.bob.token(), self.bob_there.token())
        others = self.bob.id, self.anna.id
        results = await self.at_once(lambda n: people[n].call("POST", f"/api/private/{others[n]}"))
        self.assertEqual([code for code, _ in results], [200, 200])
        self.assertEqual(len({answer["conversation"]["id"] for _, answer in results}), 1)

    @tornado.testing.gen_test
    async def test_guesses_in_both_count_together(self) -> None:
        at = now_ms()  # no time passes, however slow the machine is
        throttles = [
            LoginThrottle(chat.database, clock=lambda: at) for chat in (self.chat, self.second.chat)
        ]
        passed = 0
        for _ in range(10):
            waits = await self.at_once(lambda n: throttles[n].reserve_attempt("account:anna"))
            passed += waits.count(0)
        self.assertEqual(passed, 5)
        self.assertEqual(await self.count(sa.select(login_failures)), 1)

    @tornado.testing.gen_test
    async def test_a_new_password_ends_the_other_sessions_everywhere(self) -> None:
        thief = self.second.visit(await self.another_browser(self.anna))
        line, own = await thief.connect(), await self.anna_there.connect()
        body = {"old": PASSWORD, "new": "another good password"}
        self.assertEqual((await self.anna.call("PUT", "/api/me/password", body))[0], 204)
        async with asyncio.timeout(LESS_THAN_A_PING):
            self.assertEqual(await line.closed(), 3500)
        self.assertEqual((await thief.fetch("/api/state")).code, 401)
        await own.heard()

    @tornado.testing.gen_test
    async def test_a_copy_of_a_cookie_is_dead_in_all_processes_after_logout(self) -> None:
        thief = Person(self.second, "thief")
        thief.cookies = dict(self.bob.cookies)
        await self.bob.log_out()
        self.assertEqual((await thief.fetch("/api/state")).code, 401)

    @tornado.testing.gen_test
    async def test_who_is_removed_or_blocked_in_one_writes_in_none(self) -> None:
        _, answer = await self.anna.call("POST", f"/api/private/{self.bob.id}")
        private = answer["conversation"]["id"]
        bob = await self.bob_there.connect()
        await self.anna.call("PUT", f"/api/contacts/{self.bob.id}", {"blocked": True})
        await bob.send(private, "let me in")
        self.assertEqual((await bob.receive("error"))["code"], "blocked")
        await self.anna.call("DELETE", f"/api/groups/{self.conv}/members/{self.bob.id}")
        await bob.send(self.conv, "let me in")
        self.assertEqual((await bob.receive("error"))["code"], "not_found")

    @tornado.testing.gen_test
    async def test_to_be_blocked_hides_presence_in_the_other_process(self) -> None:
        await self.bob.call("POST", "/api/contacts", {"name": "anna"})
        bob = await self.bob_there.connect()
        anna = await self.anna.connect()
        self.assertTrue((await bob.receive("presence"))["online"])
        await self.anna.call("PUT", f"/api/contacts/{self.bob.id}", {"blocked": True})
        self.assertFalse((await bob.receive("presence"))["online"])
        anna.socket.close()
        presence = self.second.chat.hub.presence
        while self.anna.id in await presence.online_among([self.anna.id]):
            pass
        await self.anna.connect()
        self.assertEqual(await presence.online_among([self.anna.id]), {self.anna.id})
        self.assertEqual(await bob.heard(), [])


@pytest.mark.service("mariadb", "redis")
class MariaDBTest(Across):
    __test__ = True
    server = "mariadb"


@pytest.mark.service("postgresql", "redis")
class PostgreSQLTest(Across):
    __test__ = True
    server = "postgresql"
