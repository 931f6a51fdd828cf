"""Lesson 07: shared connections, pasted SQL, queries on the loop, SQLAlchemy Core (C229-C240)."""

import asyncio
import collections
import contextlib
import importlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any
from unittest import TestCase, mock

import pytest
import sqlalchemy as sa
import tornado.web
from tornado.testing import AsyncHTTPTestCase, AsyncTestCase, gen_test

from tests.support import lesson_databases as databases
from tests.support.lesson_case import import_script, json_of

core = import_script("07_databases", "core")
injection = import_script("07_databases", "injection")
sharing = import_script("07_databases", "sharing")
waiting = import_script("07_databases", "waiting")
torndb3 = importlib.import_module("store.torndb3")

PATIENCE = 60  # seconds until a wait that should have ended fails the test


class SharingTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.url = self.enterContext(databases.sqlite())
        return sharing.make_app(self.url)

    def book(self, path: str) -> list[str]:
        names: list[str] = json_of(self.fetch(path))["in the book"]
        return names

    def test_what_bob_booked_is_rolled_back_with_ada(self) -> None:
        """C232: a shared connection has one transaction for both."""
        self.assertEqual(self.book("/shared"), [])

    def test_with_connections_of_their_own_bob_is_in(self) -> None:
        """C232."""
        self.assertEqual(self.book("/own"), ["Bob"])

    def test_two_transactions_do_not_fit_into_one_connection(self) -> None:
        """C232: the loud form of the same."""
        with contextlib.closing(torndb3.Connection(self.url)) as db:
            db.execute("BEGIN")
            with self.assertRaisesRegex(
                sqlite3.OperationalError, "cannot start a transaction within a transaction"
            ):
                db.execute("BEGIN")

    def test_sqlite_guards_its_connections(self) -> None:
        """C232: unless it is told that somebody else does."""
        message = "SQLite objects created in a thread can only be used in that same thread"
        with contextlib.closing(sqlite3.connect(":memory:")) as link:
            errors = []

            def ask() -> None:
                try:
                    link.execute("SELECT 1")
                except sqlite3.ProgrammingError as error:
                    errors.append(str(error))

            thread = threading.Thread(target=ask)
            thread.start()
            thread.join()
        self.assertIn(message, errors[0])

    def test_a_writer_that_takes_too_long_locks_the_others_out(self) -> None:
        with contextlib.closing(torndb3.Connection(self.url)) as one:
            one.execute("CREATE TABLE t (n INTEGER)")
            one.execute("BEGIN IMMEDIATE")
            with contextlib.closing(torndb3.Connection(self.url)) as other:
                other.execute("PRAGMA busy_timeout = 0")
                with self.assertRaisesRegex(sqlite3.OperationalError, "database is locked"):
                    other.execute("INSERT INTO t VALUES (1)")


@pytest.mark.service("mariadb")
class SharedOverMariaDBTest(AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = self.enterContext(databases.mariadb())

    @gen_test
    async def test_the_story_is_the_same_there(self) -> None:
        """C232."""
        for shared, expected in ((True, []), (False, ["Bob"])):
            with contextlib.ExitStack() as stack:
                ada = stack.enter_context(contextlib.closing(torndb3.Connection(self.url)))
                bob = torndb3.Connection(self.url)
                stack.enter_context(contextlib.closing(bob))
                ada.execute("DROP TABLE IF EXISTS bookings")
                ada.execute("CREATE TABLE bookings (name VARCHAR(20))")
                found = await sharing.two_bookings(ada, ada if shared else bob)
                self.assertEqual(found, expected)

    def test_threads_that_share_a_connection_break_its_protocol(self) -> None:
        """C232: errors, and answers to the questions of others. It takes a moment's bad luck."""
        seen: collections.Counter[str] = collections.Counter()
        for _ in range(50):
            seen.update(self.ask_together())
            if any("Packet sequence number wrong" in each for each in seen):
                break
        self.assertIn("Packet sequence number wrong", str(seen))

    def ask_together(self, threads: int = 4) -> list[str]:
        db = torndb3.Connection(self.url)
        start, seen = threading.Barrier(threads, timeout=PATIENCE), []

        def ask(first: int) -> None:
            start.wait()
            for number in range(first, first + 20):
                try:
                    row = db.get("SELECT %s AS number", number)
                    seen.append("right" if row == {"number": number} else "wrong")
                except Exception as error:  # any kind: the protocol is in pieces
                    seen.append(str(error))

        running = [threading.Thread(target=ask, args=(100 * each,)) for each in range(threads)]
        # Without a limit a thread may wait for bytes that another one has taken.
        db._link._sock.settimeout(0.5)
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        with contextlib.suppress(Exception):
            db._link._force_close()
        return seen


class InjectionTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        db = self.enterContext(contextlib.closing(injection.new_database()))
        return injection.make_app(db)

    def titles(self, way: str, typed: str) -> Any:
        response = self.fetch(f"/{way}?title={tornado.escape.url_escape(typed)}")
        return json_of(response) if response.code == 200 else response.code

    def test_pasted_words_become_sql(self) -> None:
        """C237."""
        self.assertEqual(self.titles("pasted", "x' OR '1'='1"), ["Lighthouse", "Miller's windmill"])
        stolen = self.titles("pasted", "x' UNION SELECT code FROM houses --")
        self.assertEqual(stolen, ["0815", "4711"])

    def test_bound_words_stay_words(self) -> None:
        """C237: an injection finds nothing, an honest quote finds its house."""
        self.assertEqual(self.titles("bound", "x' OR '1'='1"), [])
        self.assertEqual(self.titles("bound", "x' UNION SELECT code FROM houses --"), [])
        self.assertEqual(self.titles("bound", "Miller's windmill"), ["Miller's windmill"])

    def test_an_honest_quote_breaks_pasted_sql(self) -> None:
        """C237."""
        with self.assertLogs("tornado.application") as log:
            self.assertEqual(self.titles("pasted", "Miller's windmill"), 500)
        self.assertIn('OperationalError: near "s": syntax error', "\n".join(log.output))


class WaitingTest(AsyncHTTPTestCase):
    """The report lasts until a ping has been answered, if one is answered meanwhile at all."""

    def get_app(self) -> tornado.web.Application:
        url = "sqlite:///:memory:"
        pool = self.enterContext(contextlib.closing(torndb3.Pool(url)))
        connection = self.enterContext(contextlib.closing(torndb3.Connection(url)))
        self.ponged = threading.Event()
        self.served: list[bool] = []
        return waiting.make_app(connection, pool, self.report)

    def report(self, db: Any) -> int:
        self.io_loop.add_callback(self.begun.set)
        self.served.append(self.ponged.wait(self.patience))
        answer: int = db.get("SELECT 42 AS answer").answer
        return answer

    async def ping_during(self, path: str, patience: float) -> bool:
        self.begun, self.patience = asyncio.Event(), patience
        report = self.http_client.fetch(self.get_url(path))
        await self.begun.wait()
        await self.http_client.fetch(self.get_url("/"))
        self.ponged.set()
        self.assertEqual((await report).body, b"42\n")
        return self.served[-1]

    @gen_test
    async def test_on_the_loop_everybody_waits_for_the_query(self) -> None:
        """C240."""
        self.assertFalse(await self.ping_during("/blocking", patience=0.05))

    @gen_test
    async def test_in_the_pool_nobody_does(self) -> None:
        """C240."""
        self.assertTrue(await self.ping_during("/pool", PATIENCE))

    def test_the_real_report_counts(self) -> None:
        """C240: on a shorter way."""
        short = mock.patch.object(waiting, "SLOW", waiting.SLOW.replace("2000000", "2000"))
        with short, contextlib.closing(torndb3.Connection("sqlite:///:memory:")) as db:
            self.assertEqual(waiting.report(db), 2000)


class CoreTest(AsyncHTTPTestCase):
    mark = "?"

    def database(self) -> contextlib.AbstractContextManager[str]:
        return databases.sqlite()

    def get_app(self) -> tornado.web.Application:
        url = self.enterContext(self.database())
        self.engine = sa.create_engine(url)
        self.addCleanup(self.engine.dispose)
        core.prepare(self.engine)
        core.prepare(self.engine)  # a second start finds what there is
        return core.make_app(self.engine)

    def tearDown(self) -> None:
        self.engine.dispose()
        super().tearDown()

    def test_one_query_in_the_words_of_each_database(self) -> None:
        """C229: SQL without an ORM, bound and written for the database at hand."""
        page = json_of(self.fetch("/?most=95"))
        self.assertEqual([house["title"] for house in page["houses"]], ["Treehouse", "Windmill"])
        self.assertIn(f"core_houses.price <= {self.mark} ORDER BY core_houses.price", page["sql"])

    def test_a_house_is_added(self) -> None:
        """C229: the number of the new row comes back, however the database tells it."""
        body = "title=Miller's+tent&price=9"
        answer = self.fetch("/", method="POST", body=body)
        self.assertEqual((answer.code, json_of(answer)), (201, {"id": 4}))
        cheapest = json_of(self.fetch("/?most=10"))["houses"]
        self.assertEqual(cheapest, [{"id": 4, "title": "Miller's tent", "price": 9}])

    def test_what_is_no_price_is_400(self) -> None:
        for query in ("?most=cheap", "?most=-1", "?most=1%20OR%201=1"):
            self.assertEqual(self.fetch("/" + query).code, 400, query)
        self.assertEqual(self.fetch("/", method="POST", body="title=a&price=b").code, 400)


@pytest.mark.service("mariadb")
class CoreOnMariaDBTest(CoreTest):
    mark = "%(price_1)s"

    def database(self) -> contextlib.AbstractContextManager[str]:
        return databases.mariadb()


@pytest.mark.service("postgresql")
class CoreOnPostgreSQLTest(CoreTest):
    mark = "%(price_1)s::INTEGER"

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        with databases.postgresql() as url:
            yield url.replace("postgresql:", "postgresql+psycopg:")


class BoundTest(TestCase):
    def test_too_few_or_too_many_values_are_an_error(self) -> None:
        with (
            contextlib.closing(torndb3.Connection("sqlite:///:memory:")) as db,
            self.assertRaisesRegex(
                sqlite3.ProgrammingError, "Incorrect number of bindings supplied"
            ),
        ):
            db.query("SELECT %s", 1, 2)

    def test_a_row_is_json(self) -> None:
        """C236."""
        self.assertEqual(json.dumps(torndb3.Row(id=1)), '{"id": 1}')
