"""Lesson 07: LIKE, migrations, sizes of pools, emoji, and closed connections (C560-C564)."""

import contextlib
import importlib
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import TestCase, mock

import pymysql
import pytest
import tornado.web
from tornado.testing import AsyncHTTPTestCase

from tests.support import lesson_databases as databases
from tests.support.lesson_case import import_script, json_of
from tests.support.services import require

emoji = import_script("07_databases", "emoji")
lost_connection = import_script("07_databases", "lost_connection")
migrations = import_script("07_databases", "migrations")
pool_size = import_script("07_databases", "pool_size")
search = import_script("07_databases", "search")
torndb3 = importlib.import_module("store.torndb3")


class SearchTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        db = self.enterContext(contextlib.closing(search.new_database()))
        return search.make_app(db)

    def test_wildcards_of_a_visitor_are_characters(self) -> None:
        """C560"""
        for text, titles in (
            ("10%25", ["10% more"]),
            ("a_b", ["a_b"]),
            ("!", []),
            ("10", ["10 % off", "10% more", "100 pins"]),
        ):
            with self.subTest(text=text):
                self.assertEqual(json_of(self.fetch(f"/careful?q={text}")), titles)

    def test_without_the_escape_they_find_more(self) -> None:
        """C560"""
        self.assertEqual(json_of(self.fetch("/careless?q=a_b")), ["a_b", "acb"])

    def test_an_escaped_text_matches_itself_only(self) -> None:
        """C560"""
        self.assertEqual(search.escaped("50 % !_"), "50 !% !!!_")


class MigrationsTest(TestCase):
    def setUp(self) -> None:
        self.url = self.enterContext(databases.sqlite())  # a new file for each test
        self.db = self.enterContext(contextlib.closing(torndb3.Connection(self.url)))

    def test_each_step_runs_once(self) -> None:
        """C561"""
        self.assertEqual(migrations.migrate(self.db, migrations.STEPS[:1]), [1])
        self.db.execute("INSERT INTO houses (title) VALUES ('Lighthouse')")
        self.assertEqual(migrations.migrate(self.db, migrations.STEPS), [2, 3])
        self.assertEqual(migrations.migrate(self.db, migrations.STEPS), [])
        self.assertEqual(self.db.get("SELECT * FROM houses").price, 0)

    def test_a_step_that_fails_leaves_nothing_behind(self) -> None:
        """C561"""
        steps = ["CREATE TABLE houses (id INTEGER)", "ALTER TABLE no_such_table ADD COLUMN price"]
        with self.assertRaises(sqlite3.OperationalError):
            migrations.migrate(self.db, steps)
        self.assertEqual(migrations.version(self.db), 1)  # the first step stays
        steps[1] = "ALTER TABLE houses ADD COLUMN price"
        self.assertEqual(migrations.migrate(self.db, steps), [2])

    def test_a_step_whose_number_cannot_be_stored_is_rolled_back(self) -> None:
        """C561: the step and its number are one transaction."""
        with self.assertRaisesRegex(sqlite3.OperationalError, "no such table: schema_version"):
            migrations.migrate(self.db, [migrations.STEPS[0], "DROP TABLE schema_version"])
        self.assertEqual(migrations.version(self.db), 1)

    def test_two_processes_run_each_step_once(self) -> None:
        """C561: both start at the same moment."""
        both, version = threading.Barrier(2), migrations.version

        def slow_version(db: Any) -> int:
            number: int = version(db)
            with contextlib.suppress(threading.BrokenBarrierError):
                both.wait(0.1)  # without BEGIN IMMEDIATE, both have read the same version now
            return number

        def start(_: int) -> list[int]:
            with contextlib.closing(torndb3.Connection(self.url)) as db:
                done: list[int] = migrations.migrate(db, migrations.STEPS)
                return done

        with (
            mock.patch.object(migrations, "version", slow_version),
            ThreadPoolExecutor(2) as pool,
        ):
            done = [number for each in pool.map(start, range(2)) for number in each]
        self.assertEqual(sorted(done), [1, 2, 3])


class VersionPageTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        db = self.enterContext(contextlib.closing(torndb3.Connection("sqlite:///:memory:")))
        migrations.migrate(db, migrations.STEPS)
        return migrations.make_app(db)

    def test_the_page_shows_the_version(self) -> None:
        """C561"""
        expected = {"version": 3, "columns": ["id", "title", "price"]}
        self.assertEqual(json_of(self.fetch("/")), expected)


class PoolSizeTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return pool_size.make_app()

    def test_the_database_counts_the_connections_of_all_processes(self) -> None:
        """C562"""
        for size in (1, 2):
            self.assertEqual(json_of(self.fetch(f"/?size={size}"))["connections"], 3 * size)
        self.assertEqual(self.fetch("/?size=1000").code, 400)


@pytest.mark.service("mariadb")
class MariaDBTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        url = require("mariadb")
        pool = self.enterContext(contextlib.closing(torndb3.Pool(url, size=1)))
        app: tornado.web.Application = lost_connection.make_app(url, pool)
        app.add_handlers(".*", emoji.make_app(pool).wildcard_router.rules)
        app.settings["db"] = pool
        return app

    def text(self, path: str) -> str:
        return self.fetch(path).body.decode()

    def test_four_bytes_need_utf8mb4(self) -> None:
        """C563"""
        octopus = "%F0%9F%90%99"
        self.assertEqual(self.text(f"/utf8mb4?text={octopus}"), "stored: \N{OCTOPUS}\n")
        self.assertEqual(self.text("/utf8mb3?text=caf%C3%A9"), "stored: café\n")
        self.assertIn("Incorrect string value", self.text(f"/utf8mb3?text={octopus}"))

    def test_a_closed_connection_fails_at_its_next_query(self) -> None:
        """C564: which of the two depends on the moment at which the client notices."""
        told = "server has gone away|Lost connection to MySQL server during query"
        self.assertRegex(self.text("/kept"), told)

    def test_the_server_has_gone_away_if_the_query_cannot_be_sent(self) -> None:
        """C564: the other message is of a query whose answer cannot be read."""
        with contextlib.closing(torndb3.Connection(require("mariadb"))) as db:
            db._link._sock.shutdown(socket.SHUT_WR)
            with self.assertRaisesRegex(pymysql.err.OperationalError, "MySQL server has gone away"):
                db.query("SELECT 1")

    def test_the_pool_opens_another_one(self) -> None:
        """C564"""
        self.assertEqual(self.text("/pool"), "another connection: True\n")

    def test_a_wildcard_in_the_sql_is_read_as_a_placeholder(self) -> None:
        """C560: PyMySQL."""
        with contextlib.closing(torndb3.Connection(require("mariadb"))) as db:
            with self.assertRaisesRegex(
                pymysql.err.ProgrammingError, "not enough arguments for format string"
            ):
                db.query("SELECT 1 WHERE 'a' LIKE '%s' AND 1 = %s", 1)
            with self.assertRaisesRegex(ValueError, "unsupported format character"):
                db.query("SELECT 1 WHERE 'a' LIKE '%' AND 1 = %s", 1)
            self.assertEqual(len(db.query("SELECT 1 WHERE 'a' LIKE '%%' AND 1 = %s", 1)), 1)


@contextlib.contextmanager
def small_mariadb() -> Iterator[str]:
    """Start a MariaDB server that allows ten connections; yield the path of its socket."""
    # The path of a socket has at most some hundred characters.
    with tempfile.TemporaryDirectory(prefix="db", dir="/tmp") as folder:
        data, path = Path(folder, "data"), f"{folder}/socket"
        data.mkdir()
        if os.getuid() == 0:  # mariadbd refuses to run as root
            for each in (folder, data):
                shutil.chown(each, "mysql", "mysql")
        server = subprocess.Popen(
            [
                "/usr/sbin/mariadbd",
                "--no-defaults",
                *(["--user=mysql"] if os.getuid() == 0 else []),
                f"--datadir={data}",
                f"--socket={path}",
                "--skip-networking",
                "--skip-grant-tables",
                "--max-connections=10",
                "--innodb-buffer-pool-size=8M",
                "--innodb-log-file-size=4M",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert server.stderr is not None
        try:
            log = []
            for line in server.stderr:  # ends with the server
                log.append(line)
                if "ready for connections" in line:
                    break
            else:
                raise AssertionError("the server has ended: " + "".join(log[-5:]))
            yield path
        finally:
            server.terminate()
            server.communicate(timeout=30)


@pytest.mark.service("mariadb")
@pytest.mark.skipif(not Path("/usr/sbin/mariadbd").exists(), reason="starts a server of its own")
def test_a_server_refuses_more_connections_than_it_allows() -> None:
    """C562"""
    with small_mariadb() as path, contextlib.ExitStack() as stack:
        message = "Too many connections"
        with pytest.raises(pymysql.err.OperationalError, match=message):
            for _ in range(12):  # ten, and one more for an administrator
                stack.enter_context(
                    contextlib.closing(pymysql.connect(unix_socket=path, user="root"))
                )
