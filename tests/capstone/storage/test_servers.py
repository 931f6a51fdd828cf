"""What MariaDB and PostgreSQL do differently from SQLite, and the chat does not."""

import asyncio
import socket
import ssl
import threading
import unittest
from typing import ClassVar
from unittest import mock
from urllib.parse import quote

import psycopg
import pytest
import sqlalchemy as sa
import tornado.testing
import tornado.web

from capstone_chat.options import Options
from capstone_chat.storage import engines, migrate, tables
from tests.capstone import databases
from tests.capstone.chat_case import ChatCase, before_each_commit


class ServerCase(ChatCase):
    __test__ = False
    server: ClassVar[str]
    cut: ClassVar[str]

    def make_options(self) -> Options:
        self.url = databases.empty(self.server)
        return Options(data=str(self.data), database=self.url)

    def cut_connections(self) -> None:
        """Let the server end all other connections to the database."""
        engine = engines.create_engine(self.url, connections=1)
        with engine.connect() as connection:
            for number in connection.scalars(sa.text(self.others)).all():
                connection.execute(sa.text(self.cut), {"id": number})
        engine.dispose()

    others: ClassVar[str]

    @tornado.testing.gen_test
    async def test_names_tell_marks_from_letters_and_searches_do_not(self) -> None:
        zoe, other = await self.person("zoe"), await self.person("zoë")
        self.assertNotEqual(zoe.id, other.id)
        conv = await zoe.group()
        line = await zoe.connect()
        for text in "Zoe", "ZOË 🦆", "50% off", "50 off", "a_b", "aXb":
            await line.send(conv, text)
            await line.receive("ack")
        for query, seqs in (
            ("zoe", [3, 2]),
            ("zoë", [3, 2]),
            ("0% o", [4]),
            ("a_b", [6]),
            ("🦆", [3]),
        ):
            path = f"/api/conversations/{conv}/search?query={quote(query)}"
            _, found = await zoe.call("GET", path)
            self.assertEqual([event["seq"] for event in found["events"]], seqs, query)

    @tornado.testing.gen_test
    async def test_the_longest_text_fits_however_much_its_search_form_grows(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        line = await anna.connect()
        await line.send(conv, "\ufdfa" * 4000)  # each folds to eighteen characters
        self.assertEqual((await line.receive("ack"))["seq"], 2)

    @tornado.testing.gen_test
    async def test_connections_that_were_cut_are_replaced(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        line = await anna.connect()
        await asyncio.to_thread(self.cut_connections)
        await line.send(conv, "Still here")
        self.assertEqual((await line.receive("ack"))["seq"], 2)
        self.assertEqual((await anna.call("GET", "/api/state"))[0], 200)

    @tornado.testing.gen_test
    async def test_a_connection_cut_before_its_commit_gives_no_false_acknowledgement(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        line = await anna.connect()
        with (
            before_each_commit(self.cut_connections),
            self.assertLogs("capstone_chat.handlers.websocket", "ERROR"),
        ):
            cid = await line.send(conv, "Hello")
            self.assertEqual((await line.receive())["code"], "unavailable")
        await line.send(conv, "Hello", cid)
        self.assertEqual((await line.receive("ack"))["seq"], 2)

    def test_processes_that_start_at_once_on_a_new_database_make_it_once(self) -> None:
        with databases.unmigrated(self.server) as url:
            failed: list[BaseException] = []

            def start() -> None:
                engine = engines.create_engine(url, statement_timeout=None)
                try:
                    migrate.migrate(engine)
                except BaseException as error:
                    failed.append(error)
                engine.dispose()

            starts = [threading.Thread(target=start) for _ in range(3)]
            for thread in starts:
                thread.start()
            for thread in starts:
                thread.join()
            engine = engines.create_engine(url)
            found = set(sa.inspect(engine).get_table_names())
            engine.dispose()
        self.assertEqual(failed, [])
        self.assertEqual(found - {"alembic_version"}, set(tables.metadata.tables))


@pytest.mark.service("mariadb")
class MariaDBTest(ServerCase):
    __test__ = True
    server = "mariadb"
    others = (
        "SELECT id FROM information_schema.processlist"
        " WHERE db = DATABASE() AND id <> CONNECTION_ID()"
    )
    cut = "KILL CONNECTION :id"


@pytest.mark.service("postgresql")
class PostgreSQLTest(ServerCase):
    __test__ = True
    server = "postgresql"
    others = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    cut = "SELECT pg_terminate_backend(:id)"

    def execute(self, *statements: str) -> None:
        engine = engines.create_engine(self.url, connections=1)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))
        engine.dispose()

    @tornado.testing.gen_test
    async def test_a_commit_that_may_not_be_replicated_is_not_acknowledged(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        line = await anna.connect()
        # The server warns at a commit in the same way when it stops waiting for its standby.
        self.execute(
            "CREATE OR REPLACE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN RAISE WARNING $$canceling wait for replication$$; RETURN NULL; END'",
            "CREATE CONSTRAINT TRIGGER warn AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION warn()",
        )
        self.addCleanup(self.execute, "DROP FUNCTION IF EXISTS warn CASCADE")
        with self.assertLogs("capstone_chat.handlers.websocket", "ERROR"):
            cid = await line.send(conv, "Hello")
            self.assertEqual((await line.receive())["code"], "unavailable")
        self.execute("DROP FUNCTION warn CASCADE")
        await line.send(conv, "Hello", cid)
        self.assertEqual((await line.receive("ack"))["seq"], 2)

    def slow_commit(self, connection: sa.Connection) -> None:
        """Begin a transaction whose commit takes a minute, as without the synchronous standby."""
        for statement in (
            "CREATE TEMP TABLE slow (id int)",
            "CREATE FUNCTION pg_temp.wait() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END'",
            "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION pg_temp.wait()",
            "INSERT INTO slow VALUES (1)",
        ):
            connection.execute(sa.text(statement))

    def test_a_commit_without_an_answer_is_cancelled(self) -> None:
        engine = engines.create_engine(self.url, statement_timeout=1)
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            self.slow_commit(connection)
            with self.assertRaises(engines.DATABASE_ERRORS) as raised:
                connection.commit()
        self.assertIn("canceling statement due to user request", str(raised.exception))
        with engine.connect() as connection:
            self.assertEqual(connection.scalar(sa.text("SELECT 1")), 1)

    def test_the_connection_to_a_frozen_server_is_closed(self) -> None:
        engine = engines.create_engine(self.url, statement_timeout=1)
        self.addCleanup(engine.dispose)
        # A frozen server accepts the connection of the request to cancel, and does not answer.
        frozen = mock.patch.object(psycopg.Connection, "cancel_safe")
        limit = mock.patch.object(engines, "CANCEL_TIMEOUT", 0.1)
        with engine.connect() as connection, frozen, limit:
            self.slow_commit(connection)
            with self.assertRaises(engines.DATABASE_ERRORS):
                connection.commit()
            self.assertTrue(connection.invalidated)


class ConnectTest(unittest.TestCase):
    def test_the_systems_certificates_are_read_once_however_often_mariadb_is_tried(self) -> None:
        server = self.enterContext(socket.socket())
        server.bind(("127.0.0.1", 0))  # and does not listen
        port = server.getsockname()[1]
        engine = engines.create_engine(f"mysql+pymysql://nobody@127.0.0.1:{port}/nothing")
        self.addCleanup(engine.dispose)
        read = mock.patch("ssl.create_default_context", wraps=ssl.create_default_context)
        with read as reading:
            for _ in range(3):
                with self.assertRaises(engines.DATABASE_ERRORS):
                    engine.connect()
        self.assertEqual(reading.call_count, 1)
