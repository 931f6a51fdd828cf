"""Rule 35: expired sessions and unreachable rows are purged. (Migrations: `test_migrate.py`.)"""

import asyncio
import contextlib
from typing import Any
from unittest import mock

import sqlalchemy as sa
from tornado.testing import gen_test

from capstone_chat import purge
from capstone_chat.accounts.login_throttle import FORGET_AFTER_MS
from capstone_chat.purge import GRACE_MS, Purge
from capstone_chat.storage import tables
from capstone_chat.storage.tables import (
    captchas,
    contacts,
    conversations,
    events,
    invite_links,
    login_failures,
    members,
    pictures,
    sessions,
    users,
)
from tests.capstone.chat_case import ChatCase, Person

IDLE, LIFETIME = 1000, 5000
"""Seconds."""


class PurgeCase(ChatCase):
    """A chat and a purge of its database that does not pause, with a clock of its own."""

    def setUp(self) -> None:
        super().setUp()
        self.time = self.chat.sessions._clock()
        self.steady = 0.0
        self.purge = self.make_purge()

    def make_purge(self) -> Purge:
        return Purge(
            self.chat.database,
            idle=IDLE,
            lifetime=LIFETIME,
            pause=0,
            clock=lambda: self.time,
            monotonic=lambda: self.steady,
        )

    async def rows(self, table: sa.Table) -> set[Any]:
        """Return the primary keys of a table; without a tuple where they have one column."""
        query = sa.select(*table.primary_key)
        found = await self.chat.database.read(lambda c: c.execute(query).all())
        return {key[0] if len(key) == 1 else tuple(key) for key in found}

    async def all_rows(self) -> dict[str, set[Any]]:
        return {name: await self.rows(table) for name, table in tables.metadata.tables.items()}

    async def change(self, *statements: sa.Executable) -> None:
        def change(connection: sa.Connection) -> None:
            for statement in statements:
                connection.execute(statement)

        await self.chat.database.write(change)

    async def private(self, one: Person, other: Person) -> int:
        await one.call("POST", "/api/contacts", {"name": other.name})
        _, answer = await one.call("POST", f"/api/private/{other.id}")
        return int(answer["conversation"]["id"])

    async def leave_for_ever(self, person: Person) -> None:
        """Delete the account."""
        body = {"password": "correct horse battery"}
        code, answer = await person.call("DELETE", "/api/me", body)
        self.assertEqual(code, 204, answer)

    async def dead_group(self, person: Person, messages: int = 0) -> int:
        """Make a group that nobody is in, with an event for each message beside three others."""
        conv = await person.group()
        line = await person.connect()
        for number in range(messages):
            await line.send(conv, f"message {number}")
        for _ in range(messages):
            await line.receive("ack")
        line.socket.close()
        code, _ = await person.call("DELETE", f"/api/groups/{conv}/members/{person.id}")
        self.assertEqual(code, 204)
        return conv


class ReachTest(PurgeCase):
    options = {"request_burst": 1000, "send_burst": 1000}  # noqa: RUF012

    @gen_test
    async def test_rows_that_nobody_can_reach_go_and_all_others_stay(self) -> None:
        anna, ben, carl, dora = [await self.person(n) for n in ("anna", "ben", "carl", "dora")]
        group = await anna.group()
        half = await self.private(anna, carl)
        both = await self.private(carl, dora)
        left = await carl.group()
        empty = await self.dead_group(ben, messages=3)
        await ben.join(group)
        await ben.call("POST", "/api/contacts", {"name": "anna"})
        for person in carl, dora:
            await self.leave_for_ever(person)
        await self.change(
            pictures.insert().values(name="a" * 32, user_id=anna.id, webp=b"x"),
            pictures.insert().values(name="b" * 32, user_id=anna.id, webp=b"x"),
            users.update().where(users.c.id == anna.id).values(picture="a" * 32),
            contacts.insert().values(user_id=ben.id, other_id=carl.id, blocked=True, at=1),
            contacts.insert().values(user_id=dora.id, other_id=anna.id, blocked=False, at=1),
            sessions.insert().values(
                token_hash="x", user_id=carl.id, created_at=self.time, seen_at=self.time, agent=""
            ),
        )
        before = await self.all_rows()
        newest = await anna.group()
        before["conversations"].add(newest)
        before["members"].add((newest, anna.id))
        before["events"].add((newest, 1))
        await self.purge.run()
        after = await self.all_rows()
        gone = {name: before[name] - after[name] for name in before}
        dead = {both, left, empty}
        carls_session = {max(before["sessions"])}
        self.assertEqual(after["conversations"], {group, half, newest})
        self.assertEqual(
            gone,
            {
                "captchas": set(),
                "failures": set(),
                "sessions": carls_session,
                "contacts": {(ben.id, carl.id), (dora.id, anna.id)},
                "pictures": {"b" * 32},
                "conversations": dead,
                "members": {key for key in before["members"] if key[0] in dead},
                "events": {key for key in before["events"] if key[0] in dead},
                "invitations": set(),
                "departures": set(),
                "invite_links": set(),
            }
            | {name: set() for name in gone.keys() - self.purge.deleted.keys()},
        )
        self.assertEqual(
            {name: count for name, count in self.purge.deleted.items() if count},
            {name: len(keys) for name, keys in gone.items() if keys},
        )
        for person in anna, ben:
            self.assertEqual((await person.call("GET", "/api/state"))[0], 200)
        _, answer = await anna.call("GET", f"/api/conversations/{half}/events")
        self.assertEqual([event["seq"] for event in answer["events"]], [1, 2])

    @gen_test
    async def test_what_has_expired_goes_after_a_grace_and_not_before(self) -> None:
        anna = await self.person("anna")
        convs = [await anna.group() for _ in range(2)]
        old = self.time - LIFETIME * 1000 - GRACE_MS

        def session(name: str, created_at: int, seen_at: int) -> sa.Executable:
            values = {"token_hash": name, "created_at": created_at, "seen_at": seen_at}
            return sessions.insert().values(**values, user_id=1, agent="")

        def captcha(name: str, expires_at: int) -> sa.Executable:
            values = {"form": "login", "browser": "", "answer": "", "expires_at": expires_at}
            return captchas.insert().values(id=name, **values)

        await self.change(
            sessions.delete(),
            session("old", old, self.time),
            session("unused", old + 1, self.time - IDLE * 1000 - GRACE_MS),
            session("fresh", old + 1, self.time - IDLE * 1000 - GRACE_MS + 1),
            captcha("old", self.time),
            captcha("fresh", self.time + 1),
            *(
                invite_links.insert().values(conversation_id=conv, nonce="", expires_at=at)
                for conv, at in zip(convs, (self.time, self.time + 1), strict=True)
            ),
            login_failures.insert().values(
                key="account:old", failed=9, at=self.time - FORGET_AFTER_MS - 1
            ),
            login_failures.insert().values(
                key="account:new", failed=9, at=self.time - FORGET_AFTER_MS
            ),
        )
        await self.purge.run()
        query = sa.select(sessions.c.token_hash)
        kept = await self.chat.database.read(lambda c: c.scalars(query).all())
        self.assertEqual(kept, ["fresh"])
        self.assertEqual(await self.rows(captchas), {"fresh"})
        self.assertEqual(await self.rows(login_failures), {"account:new"})
        self.assertEqual(await self.rows(invite_links), {convs[1]})

    @gen_test
    async def test_more_rows_than_a_page_are_all_looked_at(self) -> None:
        anna = await self.person("anna")
        others = [{"id": n, "name": f"u{n}", "name_key": f"u{n}"} for n in range(10, 45)]
        more = {"nickname": "U", "password": "", "created_at": 1}
        await self.change(
            users.insert().values([other | more for other in others]),
            contacts.insert().values(
                [
                    {"user_id": one, "other_id": other, "blocked": False, "at": 1}
                    for one in (anna.id, 10, 11)
                    for other in range(12, 45)
                ]
            ),
            users.update().where(users.c.id.in_(range(12, 45, 2))).values(deleted_at=1),
        )
        with mock.patch.multiple(purge, PAGE_SIZE=7, BATCH_SIZE=3):
            await self.purge.run()
        self.assertEqual(
            await self.rows(contacts),
            {(one, other) for one in (anna.id, 10, 11) for other in range(13, 45, 2)},
        )

    def test_every_table_is_purged_or_reachable(self) -> None:
        stay = {"users"}  # see `purge`
        self.assertEqual(set(self.purge.deleted), set(tables.metadata.tables) - stay)
        for table in tables.metadata.tables:
            self.assertIn(table.removesuffix("s"), str(purge.__doc__))

    @gen_test
    async def test_a_deleted_users_row_says_nothing_of_them(self) -> None:
        carl = await self.person("carl", "Carl the Great")
        await self.leave_for_ever(carl)
        await self.purge.run()
        row = await self.chat.database.read(lambda c: c.execute(sa.select(users)).one())
        self.assertNotIn("arl", str(tuple(row)))
        self.assertEqual((row.password, row.picture), ("", None))


class RaceTest(PurgeCase):
    options = {"request_burst": 1000, "send_burst": 1000}  # noqa: RUF012

    @gen_test
    async def test_a_conversation_with_a_member_is_never_touched(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        before = await self.all_rows()
        await self.purge._delete_conversation(conv)  # as if the search had found it empty
        self.assertEqual(await self.all_rows(), before)

    @gen_test
    async def test_a_row_that_is_in_use_again_when_its_batch_comes_stays(self) -> None:
        await self.person("anna")
        key = next(iter(await self.rows(sessions)))
        await self.purge._delete(sessions, [(key,)], sessions.c.seen_at < 1)
        self.assertEqual(await self.rows(sessions), {key})

    @gen_test
    async def test_nobody_joins_a_group_that_is_being_purged(self) -> None:
        anna, ben = await self.person("anna"), await self.person("ben")
        conv = await self.dead_group(anna, messages=5)
        await anna.group()
        joined = []
        real = purge._delete_references

        def delete_some(connection: sa.Connection, conv: int, column: sa.Column[Any]) -> int:
            joined.append(asyncio.run_coroutine_threadsafe(join(), loop))
            return real(connection, conv, column)

        async def join() -> int:
            return (await ben.call("POST", f"/api/groups/{conv}/join"))[0]

        loop = asyncio.get_running_loop()
        await ben.token()
        with mock.patch.multiple(purge, BATCH_SIZE=2, _delete_references=delete_some):
            await self.purge.run()
        codes = [await asyncio.wrap_future(answer) for answer in joined]
        self.assertGreater(len(codes), 3)
        self.assertEqual(set(codes), {404})
        self.assertEqual(await self.rows(members), {(conv + 1, anna.id)})

    @gen_test
    async def test_two_purges_at_once_share_the_work(self) -> None:
        anna = await self.person("anna")
        convs = [await self.dead_group(anna, messages=5) for _ in range(4)]
        newest = await anna.group()
        other = self.make_purge()
        with mock.patch.object(purge, "BATCH_SIZE", 2):
            await asyncio.gather(self.purge.run(), other.run())
        await self.purge.run()
        self.assertEqual(await self.rows(conversations), {newest})
        self.assertEqual(await self.rows(events), {(newest, 1)})
        deleted = self.purge.deleted["conversations"] + other.deleted["conversations"]
        self.assertEqual(deleted, len(convs))

    @gen_test
    async def test_the_id_of_a_purged_conversation_is_not_given_again(self) -> None:
        anna = await self.person("anna")
        conv = await self.dead_group(anna, messages=3)
        await self.purge.run()
        self.assertEqual(await self.rows(events), set())
        self.assertGreater(await anna.group(), conv)
        await self.purge.run()
        self.assertNotIn(conv, await self.rows(conversations))

    @gen_test
    async def test_a_message_is_stored_between_two_batches_of_a_large_group(self) -> None:
        anna = await self.person("anna")
        await self.dead_group(anna, messages=50)
        conv = await anna.group()
        line = await anna.connect()
        left = []
        for_update = purge._delete_references

        def delete_some(connection: sa.Connection, dead: int, column: sa.Column[Any]) -> int:
            deleted = for_update(connection, dead, column)
            self.assertLessEqual(deleted, 5)
            return deleted

        with mock.patch.multiple(purge, BATCH_SIZE=5, _delete_references=delete_some):
            running = asyncio.ensure_future(self.purge.run())
            while not running.done():
                await line.send(conv, "still here")
                await line.receive("ack")
                left.append(self.purge.deleted["events"])
            await running
        self.assertEqual(self.purge.deleted["events"], 52)
        self.assertGreater(len(set(left)), 2, "messages waited for the whole purge")


class BackgroundTest(PurgeCase):
    options = {"purge_interval": 0.001}  # noqa: RUF012

    @gen_test
    async def test_it_runs_beside_the_chat_and_shows_in_the_metrics(self) -> None:
        anna = await self.person("anna")
        await self.dead_group(anna)
        await anna.group()
        metrics = (await anna.fetch("/metrics")).body.decode()
        self.assertIn('chat_purged_rows_total{kind="events"} 0.0', metrics)
        self.assertIn("chat_purge_end_seconds 0.0", metrics)
        await self.chat.open()
        await self.until(lambda: self.chat.purge.finished_at > 0)
        metrics = (await anna.fetch("/metrics")).body.decode()
        self.assertIn('chat_purged_rows_total{kind="events"} 2.0', metrics)
        self.assertIn('chat_purged_rows_total{kind="conversations"} 1.0', metrics)
        self.assertNotIn("chat_purge_end_seconds 0.0", metrics)
        self.assertIn("chat_purge_failures_total 0.0", metrics)

    @gen_test
    async def test_nothing_goes_when_the_clock_was_changed_until_it_has_been_seen_twice(
        self,
    ) -> None:
        await self.person("anna")
        await self.purge.run_if_clock_is_right()
        self.time += (LIFETIME + 1) * 1000 + GRACE_MS
        with self.assertLogs("capstone_chat.purge", "WARNING"):
            await self.purge.run_if_clock_is_right()
        self.assertEqual(len(await self.rows(sessions)), 1)
        self.time += 3600_000
        self.steady += 3600
        await self.purge.run_if_clock_is_right()
        self.assertEqual(await self.rows(sessions), set())

    @gen_test
    async def test_an_error_ends_a_round_and_not_the_purge(self) -> None:
        broken = sa.exc.OperationalError("DELETE", {}, Exception("disk full"))
        with (
            mock.patch.object(self.purge, "run", side_effect=broken),
            self.assertLogs("capstone_chat.purge", "ERROR"),
        ):
            await self.purge.run_if_clock_is_right()
        self.assertEqual(self.purge.failed, 1)
        await self.purge.run_if_clock_is_right()
        self.assertGreater(self.purge.finished_at, 0)

    @gen_test
    async def test_it_ends_with_the_chat(self) -> None:
        self.chat.purge.start(0.001)
        await self.until(lambda: self.chat.purge.finished_at > 0)
        task = self.chat.purge._task
        assert task is not None
        await self.chat.purge.stop()
        self.assertTrue(task.cancelled())
        with contextlib.suppress(asyncio.CancelledError):
            await task
