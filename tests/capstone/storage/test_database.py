"""What the database promises: what is acknowledged is stored, and what is stored is not lost."""

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
import tornado.testing

from capstone_chat import urls
from capstone_chat.storage import engines, group_commit
from capstone_chat.storage.database import MAX_BATCH, Database
from tests.capstone import databases
from tests.capstone.chat_case import DatabaseCase, before_each_commit, held_up, noted_statements

ROOT = Path(__file__).parents[3]


def insert(number: int) -> Callable[[sa.Connection], int]:
    """A change that stores a number and returns it; the same number twice fails."""

    def change(connection: sa.Connection) -> int:
        connection.execute(sa.text("INSERT INTO numbers VALUES (:n, NULL)"), {"n": number})
        return number

    return change


class NumbersCase(DatabaseCase):
    """A table of numbers, a count of commits, and several writes in one commit."""

    def setUp(self) -> None:
        super().setUp()
        self.commits = 0
        self.execute("CREATE TABLE numbers (n BIGINT PRIMARY KEY, more TEXT)")
        self.addCleanup(self.execute, "DROP TABLE numbers")

        def count() -> None:
            self.commits += 1

        self.enterContext(before_each_commit(count))

    def execute(self, statement: str) -> None:
        engine = engines.create_engine(self.url)
        with engine.begin() as connection:
            connection.execute(sa.text(statement))
        engine.dispose()

    async def numbers(self) -> list[int]:
        query = sa.text("SELECT n FROM numbers ORDER BY n")
        return list(await self.database.read(lambda c: c.scalars(query).all()))

    async def settle(
        self,
        *changes: Callable[[sa.Connection], Any],
        after_commit: Callable[[Any], None] | None = None,
    ) -> list[Any]:
        """Write changes in one commit and return their results and exceptions."""
        async with held_up(self.database):
            waiting = [
                asyncio.ensure_future(self.database.write(change, after_commit))
                for change in changes
            ]
            await asyncio.sleep(0)  # they are queued once their tasks have begun
        return await asyncio.gather(*waiting, return_exceptions=True)


class GroupCommitTest(NumbersCase):
    @tornado.testing.gen_test
    async def test_writes_that_wait_share_one_commit(self) -> None:
        results = await self.settle(*map(insert, range(100)))
        self.assertEqual(results, list(range(100)))
        self.assertEqual(self.commits, 2)  # one of what held the writer up, one for the hundred
        self.assertEqual(await self.numbers(), list(range(100)))

    @tornado.testing.gen_test
    async def test_a_commit_takes_a_bounded_number_of_writes(self) -> None:
        await self.settle(*map(insert, range(MAX_BATCH * 2 + 1)))
        self.assertEqual(self.commits, 4)

    @tornado.testing.gen_test
    async def test_a_lone_write_waits_for_no_others(self) -> None:
        self.assertEqual(await self.database.write(insert(1)), 1)
        self.assertEqual(self.commits, 1)

    @tornado.testing.gen_test
    async def test_a_write_that_fails_spoils_no_other_in_its_commit(self) -> None:
        def fail_late(connection: sa.Connection) -> None:
            insert(50)(connection)
            raise KeyError("after it has written")

        first, twin, late, last = await self.settle(insert(1), insert(1), fail_late, insert(2))
        self.assertEqual((first, last), (1, 2))
        self.assertIsInstance(twin, sa.exc.IntegrityError)
        self.assertIsInstance(late, KeyError)
        self.assertEqual(await self.numbers(), [1, 2])
        self.assertEqual(self.commits, 2)

    @tornado.testing.gen_test
    async def test_results_come_in_the_order_of_the_writes(self) -> None:
        came: list[tuple[str, int]] = []

        def odd(connection: sa.Connection, items: list[int]) -> Sequence[int]:
            return items

        def even(connection: sa.Connection, items: list[int]) -> Sequence[int]:
            return items

        done = asyncio.Event()
        async with held_up(self.database):
            for number in range(20):
                work = odd if number % 3 else even
                note = lambda result, name=work.__name__: came.append((name, result))  # noqa: E731
                self.database.enqueue(work, number, note)
            self.database.enqueue(odd, 20, lambda _result: done.set())
        await done.wait()
        self.assertEqual(came, [("odd" if n % 3 else "even", n) for n in range(20)])

    @tornado.testing.gen_test
    async def test_neighbours_of_one_kind_are_worked_off_together(self) -> None:
        groups: list[list[int]] = []

        def work(connection: sa.Connection, items: list[int]) -> Sequence[int]:
            groups.append(items)
            return items

        done = asyncio.Event()
        async with held_up(self.database):
            for number in range(5):
                self.database.enqueue(work, number, lambda _result: None)
            self.database.enqueue(work, 5, lambda _result: done.set())
        await done.wait()
        self.assertEqual(groups, [[0, 1, 2, 3, 4, 5]])

    @tornado.testing.gen_test
    async def test_committed_is_called_after_the_commit_and_before_the_waiter_goes_on(self) -> None:
        order: list[str] = []
        result = await self.database.write(
            insert(1), lambda result: order.append(f"committed {result} in {self.commits}")
        )
        order.append(f"returned {result}")
        self.assertEqual(order, ["committed 1 in 1", "returned 1"])
        with self.assertRaises(sa.exc.IntegrityError):
            await self.database.write(insert(1), lambda result: order.append("never"))
        self.assertEqual(len(order), 2)

    @tornado.testing.gen_test
    async def test_a_write_after_a_lone_one_does_not_wait_for_the_next_turn(self) -> None:
        for number, before in (1, 0), (2, 2):  # nothing is known about the first one
            waiting = asyncio.ensure_future(self.database.write(insert(number)))
            await asyncio.sleep(0)  # the task has begun
            self.assertEqual(self.database.commits, before)
            await waiting

    @tornado.testing.gen_test
    async def test_the_writer_takes_its_connection_from_the_pool_once(self) -> None:
        taken: list[object] = []
        sa.event.listen(self.database.engine, "checkout", lambda *_: taken.append(1))
        for number in range(3):
            await self.database.write(insert(number))
            with self.assertRaises(sa.exc.IntegrityError):
                await self.database.write(insert(number))
        self.assertEqual(len(taken), 1)


class AcknowledgeTest(NumbersCase):
    @tornado.testing.gen_test
    async def test_nobody_gets_a_result_before_the_commit(self) -> None:
        reached, go = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def wait() -> None:
            loop.call_soon_threadsafe(reached.set)
            go.wait()

        self.enterContext(before_each_commit(wait))
        told: list[int] = []
        waiting = asyncio.ensure_future(self.database.write(insert(1), told.append))
        try:
            await reached.wait()
            for _ in range(10):
                await asyncio.sleep(0)
            self.assertEqual((waiting.done(), told), (False, []))
        finally:
            go.set()
        self.assertEqual((await waiting, told), (1, [1]))

    @tornado.testing.gen_test
    async def test_a_commit_that_fails_fails_for_everybody(self) -> None:
        told: list[int] = []

        def fail() -> None:
            raise OSError("the disk has gone")

        with before_each_commit(fail):
            results = await self.settle(*map(insert, range(5)), after_commit=told.append)
        for result in results:
            self.assertIsInstance(result, OSError)
        self.assertEqual(told, [])
        self.assertEqual(await self.numbers(), [])
        self.assertEqual(await self.database.write(insert(7)), 7)  # and it goes on afterwards

    def conflict(self, times: int) -> None:
        """Make the next commits fail with the error of a deadlock or of a conflict on Galera."""
        left = iter(range(times))

        def fail() -> None:
            if next(left, None) is not None:
                raise sa.exc.OperationalError("COMMIT", None, Exception(1213, "Deadlock found"))

        self.enterContext(before_each_commit(fail))

    @tornado.testing.gen_test
    async def test_a_commit_that_conflicts_with_another_process_is_retried(self) -> None:
        self.conflict(group_commit.MAX_RETRIES)
        results = await self.settle(insert(1), insert(1), insert(2))
        self.assertEqual([results[0], results[2]], [1, 2])
        self.assertIsInstance(results[1], sa.exc.IntegrityError)
        self.assertEqual(self.database.conflicts, group_commit.MAX_RETRIES)
        self.assertEqual(await self.numbers(), [1, 2])

    @tornado.testing.gen_test
    async def test_a_commit_that_conflicts_again_and_again_is_given_up(self) -> None:
        self.conflict(group_commit.MAX_RETRIES + 1)
        given_up = self.assertLogs("capstone_chat.storage.group_commit", "WARNING")
        with given_up, self.assertRaises(engines.DATABASE_ERRORS):
            await self.database.write(insert(1))
        self.assertEqual(self.database.conflicts, group_commit.MAX_RETRIES + 1)
        self.assertEqual(await self.numbers(), [])
        self.assertEqual(await self.database.write(insert(7)), 7)

    @tornado.testing.gen_test
    async def test_who_stops_waiting_changes_nothing_for_the_others(self) -> None:
        async with held_up(self.database):
            gone = asyncio.ensure_future(self.database.write(insert(1)))
            stays = asyncio.ensure_future(self.database.write(insert(2)))
            await asyncio.sleep(0)
            gone.cancel()
        self.assertEqual(await stays, 2)
        self.assertEqual(await self.numbers(), [1, 2])

    @tornado.testing.gen_test
    async def test_an_answer_that_fails_keeps_no_other_answer_back(self) -> None:
        def fail(_result: int) -> None:
            raise KeyError("a mistake in whoever was told")

        async with held_up(self.database):
            bad = asyncio.ensure_future(self.database.write(insert(1), fail))
            good = asyncio.ensure_future(self.database.write(insert(2)))
            await asyncio.sleep(0)
        with self.assertLogs("capstone_chat.storage.database", "ERROR"):
            self.assertEqual(await good, 2)
        bad.cancel()


class FullDiskTest(NumbersCase):
    only_sqlite = True

    @tornado.testing.gen_test
    async def test_a_full_disk_gives_no_false_acknowledgement(self) -> None:
        # SQLite undoes the whole transaction by itself when the disk is full; what was written
        # before in the same commit is then gone as well.
        engine = self.database.engine
        with engine.connect() as connection:
            pages = connection.execute(sa.text("PRAGMA page_count")).scalar_one()
        engine.dispose()

        @sa.event.listens_for(engine, "connect")
        def limit(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages + 5}")

        def large(connection: sa.Connection) -> int:
            connection.execute(sa.text("INSERT INTO numbers VALUES (50, zeroblob(1000000))"))
            return 50

        # The twin fails first, so that each write is tried alone and the first ones succeed.
        results = await self.settle(insert(1), insert(1), insert(2), large, insert(3))
        acknowledged = [result for result in results if isinstance(result, int)]
        self.assertEqual(await self.numbers(), acknowledged)
        self.assertNotIn(50, acknowledged)
        self.assertEqual(await self.database.write(insert(4)), 4)  # what fits is still stored


class CloseTest(NumbersCase):
    @tornado.testing.gen_test
    async def test_closing_finishes_what_waits_and_answers_it(self) -> None:
        async with held_up(self.database):
            waiting = [asyncio.ensure_future(self.database.write(insert(n))) for n in range(600)]
            await asyncio.sleep(0)
            closing = asyncio.ensure_future(self.database.close())
            await asyncio.sleep(0)
        await closing
        self.assertTrue(all(one.done() for one in waiting))
        self.assertEqual([one.result() for one in waiting], list(range(600)))
        again = Database(self.url)
        with again.engine.connect() as connection:
            count = connection.execute(sa.text("SELECT count(*) FROM numbers")).scalar_one()
        self.assertEqual(count, 600)
        await again.close()

    @tornado.testing.gen_test
    async def test_closing_lets_no_connection_stay_open_though_somebody_reads(self) -> None:
        database = Database(self.url)
        pool = database.engine.pool
        assert isinstance(pool, sa.QueuePool)
        is_open = Counter(c=pool.checkedin())
        sa.event.listen(database.engine, "connect", lambda *_: is_open.update("c"))
        sa.event.listen(database.engine, "close", lambda *_: is_open.subtract("c"))
        reading, go = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def slow(_connection: sa.Connection) -> str:
            loop.call_soon_threadsafe(reading.set)
            go.wait()
            return "read"

        read = asyncio.ensure_future(database.read(slow))
        await reading.wait()
        closing = asyncio.ensure_future(database.close())
        await asyncio.sleep(0)
        self.assertEqual(is_open["c"], 1)
        go.set()
        await closing
        self.assertEqual((await read, is_open["c"]), ("read", 0))

    @tornado.testing.gen_test
    async def test_a_database_that_never_wrote_closes(self) -> None:
        database = Database(self.url)
        await database.read(lambda connection: connection.execute(sa.text("SELECT 1")).all())
        await database.close()


class PragmaTest(DatabaseCase):
    only_sqlite = True
    EXPECTED: ClassVar[dict[str, Any]] = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }

    def pragmas(self, connection: sa.Connection) -> dict[str, Any]:
        return {
            name: connection.execute(sa.text(f"PRAGMA {name}")).scalar_one()
            for name in self.EXPECTED
        }

    @tornado.testing.gen_test
    async def test_every_connection_is_durable_and_checks_foreign_keys(self) -> None:
        # synchronous = 2 is FULL: a commit outlives a power cut, also in WAL.
        self.assertEqual(await self.database.write(self.pragmas), self.EXPECTED)
        for read in await asyncio.gather(*(self.database.read(self.pragmas) for _ in range(8))):
            self.assertEqual(read, self.EXPECTED)

    @tornado.testing.gen_test
    async def test_a_row_for_a_user_who_does_not_exist_is_refused(self) -> None:
        row = sa.text("INSERT INTO members VALUES (1, 1, 'owner', 0, 0)")
        with self.assertRaises(sa.exc.IntegrityError):
            await self.database.write(lambda connection: connection.execute(row))

    @tornado.testing.gen_test
    async def test_a_write_locks_before_it_reads_so_that_nothing_is_stale(self) -> None:
        said = self.enterContext(noted_statements(self.database.engine))
        await self.database.write(lambda connection: connection.execute(sa.text("SELECT 1")))
        await self.database.read(lambda connection: connection.execute(sa.text("SELECT 2")).all())
        begins = [statement for statement, _ in said if statement.startswith("BEGIN")]
        self.assertEqual(begins, ["BEGIN IMMEDIATE", "BEGIN"])

    @tornado.testing.gen_test
    async def test_readers_go_on_while_somebody_writes(self) -> None:
        writing, go = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def slow(connection: sa.Connection) -> None:
            loop.call_soon_threadsafe(writing.set)
            go.wait()

        waiting = asyncio.ensure_future(self.database.write(slow))
        try:
            await writing.wait()
            answer = await self.database.read(lambda c: c.execute(sa.text("SELECT 1")).scalar_one())
            self.assertEqual((answer, waiting.done()), (1, False))
        finally:
            go.set()
        await waiting


@pytest.mark.parametrize("acknowledged", [1, 200, 1500])
def test_a_killed_process_loses_no_message_that_it_acknowledged(acknowledged: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        acks: list[tuple[int, int, str]] = []
        url = databases.chosen_url()
        for _start in range(2):  # the second finds what the first left behind
            acks += _acknowledged_before_the_kill(acknowledged, folder, url)
        database = Database(url or urls.sqlite_url(Path(folder) / "chat.db"))
        with database.engine.connect() as connection:
            if not url:
                check = connection.execute(sa.text("PRAGMA integrity_check")).scalar_one()
                assert check == "ok"
            rows = connection.execute(sa.text("SELECT conversation_id, seq, cid FROM events")).all()
            found = connection.execute(sa.text("SELECT id, head FROM conversations"))
            heads: dict[int, int] = {row.id: row.head for row in found}
        database.engine.dispose()
    assert len(acks) >= 2 * acknowledged
    lost = set(acks) - {tuple(row) for row in rows}
    assert not lost
    doubled = [
        cid for cid, count in Counter(row.cid for row in rows if row.cid).items() if count > 1
    ]
    assert not doubled
    for conv, head in heads.items():
        assert sorted(row.seq for row in rows if row[0] == conv) == list(range(1, head + 1))


def _acknowledged_before_the_kill(enough: int, *where: str) -> list[tuple[int, int, str]]:
    command = [sys.executable, "-m", "tests.capstone.message_writer", *where]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(enough)]
        writer.kill()
        lines += writer.stdout.readlines()
    return [
        (int(conv), int(seq), cid)
        for conv, seq, cid in (line.split() for line in lines if line.endswith("\n"))
    ]
