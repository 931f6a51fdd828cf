"""Lesson 07: the four methods of torndb, the pool, and the houses on them (C229-C239)."""

import asyncio
import contextlib
import importlib
import importlib.util
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import TestCase
from urllib.parse import urlencode

import psycopg
import pymysql
import pytest
import redis.asyncio
import tornado.web
from tornado.httpclient import HTTPResponse
from tornado.testing import AsyncHTTPTestCase, ExpectLog, gen_test

from tests.support import lesson_databases as databases
from tests.support.lesson_case import RoutesHTTPTestCase, import_script, json_of
from tests.support.services import require

app = import_script("07_databases", "app")
rows = import_script("07_databases", "rows")
torndb3 = importlib.import_module("store.torndb3")

INSERT = "INSERT INTO houses (title, position, price) VALUES (%s, %s, %s)"


class RowsTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return rows.make_app(self.enterContext(contextlib.closing(rows.new_database())))

    def test_rows_are_listed_and_one_is_found(self) -> None:
        """C307: the value replaces the placeholder; without a row it is 404."""
        titles = [house["title"] for house in json_of(self.fetch("/"))["houses"]]
        self.assertEqual(titles, ["Treehouse", "Windmill", "Lighthouse"])
        self.assertEqual(json_of(self.fetch("/house/2")), {"title": "Windmill", "price": 95})
        self.assertEqual(self.fetch("/house/99").code, 404)


class OnSqlite:
    """Gives a test a database of its own."""

    dialect = "sqlite"

    def setUp(self) -> None:
        self.stack = contextlib.ExitStack()
        make = {"sqlite": databases.sqlite, "mysql": databases.mariadb}[self.dialect]
        self.url = self.stack.enter_context(make())
        super().setUp()  # type: ignore[misc]

    def tearDown(self) -> None:
        super().tearDown()  # type: ignore[misc]
        self.stack.close()


class ConnectionTest(OnSqlite, TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.db = self.stack.enter_context(contextlib.closing(torndb3.Connection(self.url)))
        app.prepare(self.db, self.dialect)

    def test_get_returns_one_row_or_none(self) -> None:
        """C235: several rows are an error."""
        row = self.db.get("SELECT * FROM houses WHERE id = %s", 2)
        self.assertEqual(row.position, "Barley Hill")
        self.assertIsNone(self.db.get("SELECT * FROM houses WHERE id = %s", 99))
        with self.assertRaisesRegex(LookupError, "Multiple rows returned for get()"):
            self.db.get("SELECT * FROM houses")

    def test_query_returns_rows_by_key_and_by_attribute(self) -> None:
        """C236."""
        rows = self.db.query("SELECT id, title, price FROM houses ORDER BY id")
        self.assertEqual([row.id for row in rows], [1, 2, 3])
        self.assertEqual(rows[2]["price"], rows[2].price)
        self.assertEqual(rows[2].title, "Treehouse in an old oak")
        with self.assertRaisesRegex(AttributeError, "the row has no column garden"):
            _ = rows[0].garden
        self.assertEqual(self.db.query("SELECT * FROM houses WHERE id = %s", 99), [])

    def test_execute_returns_the_new_id(self) -> None:
        """C233."""
        self.assertEqual(self.db.execute(INSERT, "Tent", "Garden", 9), 4)
        self.assertEqual(self.db.execute(INSERT, "Barn", "Farm", 19), 5)

    def test_execute_rowcount_returns_how_many_rows_changed(self) -> None:
        """C234."""
        cheaper = "UPDATE houses SET price = price - %s WHERE price > %s"
        self.assertEqual(self.db.execute_rowcount(cheaper, 5, 90), 2)
        self.assertEqual(self.db.execute_rowcount(cheaper, 5, 9000), 0)

    def test_parameters_are_bound_by_place_and_by_name(self) -> None:
        """C237: whatever is in them, they are values."""
        title = """Miller's "100 %" house'); DROP TABLE houses; -- %s"""
        self.db.execute(INSERT, title, "Mill", 1)
        by_name = "SELECT title FROM houses WHERE title = %(title)s AND price < %(most)s"
        self.assertEqual(self.db.get(by_name, title=title, most=2).title, title)
        like = "SELECT count(*) AS found FROM houses WHERE title LIKE '%%mill%%' OR id = %s"
        self.assertEqual(self.db.get(like, 1).found, 3)
        with self.assertRaisesRegex(TypeError, "by position or by name, not both"):
            self.db.query(by_name, 1, title=title)

    def test_an_injection_finds_nothing(self) -> None:
        """C237: bound, the words of a visitor find nothing; pasted, they find everything."""
        typed = "x' OR '1'='1"
        bound = self.db.query("SELECT id FROM houses WHERE title = %s", typed)
        pasted = self.db.query(f"SELECT id FROM houses WHERE title = '{typed}'")
        self.assertEqual((len(bound), len(pasted)), (0, 3))

    def test_each_statement_is_committed_unless_you_begin(self) -> None:
        self.db.execute(INSERT, "Tent", "Garden", 9)
        self.db.execute("BEGIN")
        self.db.execute(INSERT, "Barn", "Farm", 19)
        self.db.execute("ROLLBACK")
        with contextlib.closing(torndb3.Connection(self.url)) as other:
            self.assertEqual(other.get("SELECT count(*) AS found FROM houses").found, 4)


@pytest.mark.service("mariadb")
class MariaDBConnectionTest(ConnectionTest):
    """The same over PyMySQL."""

    dialect = "mysql"

    def test_text_is_read_as_a_number_where_it_meets_one(self) -> None:
        """C237: bound it may still mean more than it says; int() ends that."""
        row = self.db.get("SELECT id FROM houses WHERE id = %s", "2 OR 1=1")
        self.assertEqual(row.id, 2)

    def test_the_number_of_parameters_has_to_fit(self) -> None:
        with self.assertRaisesRegex(pymysql.err.ProgrammingError, "not all arguments converted"):
            self.db.query("SELECT * FROM houses WHERE id = %s", 1, 2)

    def test_the_pool_replaces_a_connection_that_the_server_has_closed(self) -> None:
        """C232."""
        with contextlib.closing(torndb3.Pool(self.url, 1)) as pool:
            first = pool._lend(lambda db: db.get("SELECT connection_id() AS id").id)
            self.db.execute(f"KILL {first}")
            again = pool._lend(lambda db: db.get("SELECT connection_id() AS id").id)
        self.assertNotEqual(first, again)


class PoolTest(OnSqlite, AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application()

    def setUp(self) -> None:
        super().setUp()
        self.pool = torndb3.Pool(self.url, 2)

    def tearDown(self) -> None:
        self.pool.close()
        super().tearDown()

    @gen_test
    async def test_no_two_threads_have_the_same_connection(self) -> None:
        """C232: each function gets a connection that nobody else has, and gives it back."""
        both = threading.Barrier(2, timeout=60)

        def work(db: Any) -> tuple[int, int]:
            both.wait()
            return id(db), threading.get_ident()

        for _ in range(2):  # with new connections, and with the same again
            first, second = await asyncio.gather(self.pool.run(work), self.pool.run(work))
            self.assertNotEqual(first[0], second[0])
            self.assertNotEqual(first[1], second[1])
            self.assertEqual({first[0], second[0]}, {id(db) for db in self.pool._idle})

    def test_several_connections_may_be_opened_at_once_on_a_new_file(self) -> None:
        """C232: SQLite lets only one of them change the file."""
        with ThreadPoolExecutor(4) as threads:
            for number in range(100):
                url = f"{self.url}-{number}"
                together = threading.Barrier(4, timeout=60)

                def connect(url: str = url, together: threading.Barrier = together) -> None:
                    together.wait()
                    torndb3.Connection(url).close()

                for opened in [threads.submit(connect) for _ in range(4)]:
                    opened.result()

    @gen_test
    async def test_a_connection_on_which_something_failed_is_not_lent_again(self) -> None:
        """C232: it may be in the middle of a transaction."""

        def fail(db: Any) -> None:
            db.execute("CREATE TABLE kept (n INTEGER)")
            db.execute("BEGIN")
            db.execute("INSERT INTO kept VALUES (1)")
            raise ValueError("the card was refused")

        with self.assertRaisesRegex(ValueError, "refused"):
            await self.pool.run(fail)
        self.assertEqual(self.pool._idle, [])
        self.assertEqual(await self.pool.query("SELECT * FROM kept"), [])

    @gen_test
    async def test_the_four_methods_can_be_awaited(self) -> None:
        """C233, C234, C235, C236."""
        await self.pool.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)")
        self.assertEqual(await self.pool.execute("INSERT INTO t (n) VALUES (%(n)s)", n=7), 1)
        self.assertEqual(await self.pool.execute_rowcount("UPDATE t SET n = %s", 8), 1)
        self.assertEqual((await self.pool.get("SELECT n FROM t")).n, 8)
        self.assertEqual(await self.pool.query("SELECT id, n FROM t"), [{"id": 1, "n": 8}])


class HousesTest(OnSqlite, AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.pool = torndb3.Pool(self.url)
        self.pool._lend(lambda db: app.prepare(db, self.dialect))
        return app.make_app(self.pool)

    def tearDown(self) -> None:
        self.pool.close()
        super().tearDown()

    def add(self, **fields: object) -> HTTPResponse:
        body = urlencode({"title": "Tent", "position": "Garden", "price": 9} | fields)
        return self.fetch("/", method="POST", body=body, follow_redirects=False)

    def count(self) -> int:
        counted: int = self.pool._lend(lambda db: db.get("SELECT count(*) AS n FROM houses").n)
        return counted

    def test_a_house_is_added_and_shown(self) -> None:
        """C238: a form becomes a row, and a redirect leads to its page."""
        answer = self.add(title="Miller's <b>tent</b>")
        self.assertEqual((answer.code, answer.headers["Location"]), (303, "/house/4"))
        page = self.fetch("/house/4").body.decode()
        self.assertIn("Miller&#x27;s &lt;b&gt;tent&lt;/b&gt;", page)
        self.assertIn("63 €", page)

    def test_a_house_that_is_not_there_is_404(self) -> None:
        """C238: as an address that says too much, which no route fits."""
        for path in ("/house/99", "/house/0%20OR%201=1"):
            self.assertEqual(self.fetch(path).code, 404, path)

    def test_the_search_is_bound(self) -> None:
        """C237: a word with a quote finds what it says, or nothing."""
        self.add(title="Miller's tent")
        for word, found in (("MILL", 2), ("Miller's", 1), ("' OR 1=1 -- ", 0)):
            page = self.fetch("/?" + urlencode({"q": word})).body.decode()
            self.assertEqual(page.count("a night"), found + page.count("Euros a night"), word)

    def test_what_is_no_price_is_400(self) -> None:
        """C238: the form is checked before the database is asked."""
        for price in ("", "cheap", "-1", "1.5", "1e3", "²", "99999999"):
            self.assertEqual(self.add(price=price).code, 400, price)
        self.assertEqual(self.fetch("/", method="POST", body="title=Tent").code, 400)
        self.assertEqual(self.count(), 3)

    def test_an_error_of_the_database_is_500_and_tells_the_client_nothing(self) -> None:
        """C238: its words are for the log."""
        self.pool._lend(lambda db: db.execute("DROP TABLE houses"))
        with ExpectLog("tornado.application", "Uncaught exception", required=True):
            answer = self.fetch("/house/1")
        self.assertEqual(answer.code, 500)
        self.assertNotIn(b"houses", answer.body)

    def test_a_form_of_another_site_is_refused(self) -> None:
        headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        body = "title=Tent&position=Garden&price=9"
        answer = self.fetch("/", method="POST", body=body, headers=headers)
        self.assertEqual((answer.code, self.count()), (403, 3))


@pytest.mark.service("mariadb")
class MariaDBHousesTest(HousesTest):
    dialect = "mysql"


class AttributeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.application.db)  # type: ignore[attr-defined]


class SettingsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.settings["db"])


class RouteHandler(tornado.web.RequestHandler):
    def initialize(self, db: str) -> None:
        self.db = db

    def get(self) -> None:
        self.write(self.db)


class HandleTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        routes: list[Any] = [("/attribute", AttributeHandler), ("/settings", SettingsHandler)]
        routes += [("/route", RouteHandler, {"db": "by the route"})]
        made = tornado.web.Application(routes, db="by the settings")
        made.db = "by an attribute"  # type: ignore[attr-defined]
        return made

    def test_three_ways_to_hand_on_the_database(self) -> None:
        """C239, C232: an attribute of the application, a setting, an argument of the route."""
        self.assertEqual(self.text("/attribute"), "by an attribute")
        self.assertEqual(self.text("/settings"), "by the settings")
        self.assertEqual(self.text("/route"), "by the route")


class GoneTest(TestCase):
    def test_tornado_has_no_database_module(self) -> None:
        """C229, C231: it left with 3.0, and torndb, which it became, needs Python 2."""
        with self.assertRaisesRegex(ImportError, "No module named 'tornado.database'"):
            importlib.import_module("tornado.database")
        with self.assertRaisesRegex(ImportError, "No module named 'torndb'"):
            importlib.import_module("torndb")


@pytest.mark.service("mariadb", "postgresql", "redis")
class DriversTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application()

    @gen_test
    async def test_there_are_good_drivers(self) -> None:
        """C230: each asks its own server; two of them can be awaited."""
        with contextlib.closing(torndb3.Connection(require("mariadb"))) as db:
            self.assertEqual(db.get("SELECT 1 AS one").one, 1)
        self.assertFalse(inspect.iscoroutinefunction(pymysql.cursors.Cursor.execute))
        url = require("postgresql").replace("+psycopg", "")
        async with await psycopg.AsyncConnection.connect(url) as server:
            self.assertEqual(await (await server.execute("SELECT 1")).fetchone(), (1,))
        async with redis.asyncio.from_url(require("redis")) as store:
            self.assertTrue(await store.ping())
