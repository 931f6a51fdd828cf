"""The commands of `capstone_chat.admin`, beside a chat that runs."""

import asyncio
import contextlib
import io
import os
import re
import sqlite3
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from unittest import mock

import pytest
import sqlalchemy as sa
import tornado.testing

from capstone_chat import admin
from tests.capstone.chat_case import DatabaseCase
from tests.capstone.two_nodes_case import TwoNodesCase

ROOT = Path(__file__).parents[2]


async def give(*arguments: str) -> tuple[int, str, str]:
    """Give a command; return its exit code, what it printed and what it complained of."""
    out, said = io.StringIO(), io.StringIO()

    def run() -> int:
        try:
            admin.main(arguments)
        except SystemExit as end:
            return int(end.code or 0)
        raise AssertionError("a command ends with an exit code")

    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(said),
        mock.patch.dict(os.environ, COLUMNS="200"),
    ):
        code = await asyncio.to_thread(run)
    return code, out.getvalue(), said.getvalue()


async def start(*arguments: str) -> tuple[int | None, str, str]:
    """Give a command as an operator does, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "capstone_chat.admin", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, said = await process.communicate()
    return process.returncode, out.decode(), said.decode()


class AdminCase(DatabaseCase):
    """A database, its data folder, and an operator."""

    def setUp(self) -> None:
        super().setUp()
        self.data = self.file.parent
        self.place = [f"--data={self.data}"]
        if self.url.partition(":")[0] != "sqlite":
            self.place.append(f"--database={self.url}")

    async def execute(self, *statements: str) -> None:
        def change(connection: sa.Connection) -> None:
            for statement in statements:
                connection.execute(sa.text(statement))

        await self.database.write(change)

    async def gather(self) -> None:
        user = "INSERT INTO users (id, name, name_key, nickname, password, created_at) VALUES "
        await self.execute(
            user + "(1, 'Anna', 'anna', 'Anna [b]B.[/b]', 'x', 1700000000000)",
            user + "(2, 'bob', 'bob', 'Bob', 'x', 1700000000000)",
            "INSERT INTO sessions (token_hash, user_id, created_at, seen_at, agent)"
            " VALUES ('a', 1, 1700000000000, 1700000060000, ''), ('b', 2, 1, 1, '')",
        )

    async def state(self) -> tuple[list[int], list[int]]:
        """Return who is disabled, and whose sessions there are."""

        def look(connection: sa.Connection) -> tuple[list[int], list[int]]:
            disabled = sa.text("SELECT id FROM users WHERE disabled_at IS NOT NULL")
            in_use = sa.text("SELECT user_id FROM sessions ORDER BY user_id")
            return [*connection.scalars(disabled)], [*connection.scalars(in_use)]

        return await self.database.read(look)

    async def refused(self, *cases: tuple[Iterable[str], str]) -> None:
        """Let each command be refused on one line that holds a text."""
        for arguments, part in cases:
            with self.subTest(arguments=arguments):
                code, out, said = await give(*arguments)
                self.assertEqual((code, out, said.count("\n")), (2, "", 1), said)
                self.assertTrue(said.startswith("admin: "), said)
                self.assertIn(part, said)
                self.assertNotIn("hunter2", said)


class UsersTest(AdminCase):
    @tornado.testing.gen_test
    async def test_users_are_listed_with_when_they_were_seen(self) -> None:
        await self.gather()
        code, out, _ = await give("users", *self.place)
        self.assertEqual(code, 0)
        rows = [re.split(r"\s*[│┃]\s*", line)[1:-1] for line in out.splitlines() if "2023" in line]
        self.assertEqual(
            rows,
            [
                ["2", "bob", "Bob", "2023-11-14 22:13", "1970-01-01 00:00", ""],
                ["1", "Anna", "Anna [b]B.[/b]", "2023-11-14 22:13", "2023-11-14 22:14", ""],
            ],
        )

    @tornado.testing.gen_test
    async def test_a_disabled_user_is_out_until_enabled_again(self) -> None:
        await self.gather()
        code, out, _ = await give("disable", "ANNA", *self.place)
        self.assertEqual((code, out), (0, "ANNA is disabled\n"))
        self.assertEqual(await self.state(), ([1], [2]))
        self.assertIn("disabled", (await give("users", *self.place))[1])
        code, out, _ = await give("enable", "anna", *self.place)
        self.assertEqual((code, out), (0, "anna is enabled\n"))
        self.assertEqual(await self.state(), ([], [2]))

    @tornado.testing.gen_test
    async def test_a_user_who_does_not_exist_is_named(self) -> None:
        for command in "disable", "enable":
            await self.refused(([command, "nobody", *self.place], "there is no user 'nobody'"))

    @tornado.testing.gen_test
    async def test_without_the_chats_secret_redis_is_refused_and_nothing_is_changed(self) -> None:
        await self.gather()
        disable = ["disable", "anna", "--redis=redis://127.0.0.1:1", *self.place]
        await self.refused((disable, "there is no secret in"))
        self.assertEqual(await self.state(), ([], [1, 2]))
        self.assertEqual([path.name for path in self.data.glob("secret*")], [])

    @tornado.testing.gen_test
    async def test_a_user_is_disabled_though_redis_is_away_and_that_is_said(self) -> None:
        await self.gather()
        (self.data / "secret").write_text("x" * 64)
        code, out, said = await give("disable", "anna", "--redis=redis://127.0.0.1:1", *self.place)
        self.assertEqual((code, out), (2, "anna is disabled\n"))
        self.assertRegex(said, r"^admin: .* not at once: --redis: .*\n$")
        self.assertEqual(await self.state(), ([1], [2]))


@pytest.mark.service("redis")
class DisableTest(TwoNodesCase):
    options = {"ping_interval": 3600}  # noqa: RUF012  # which would end them as well, but later

    @tornado.testing.gen_test
    async def test_the_sockets_of_a_disabled_user_end_in_all_processes(self) -> None:
        anna = await self.anna.connect()
        lines = [await self.bob.connect(), await self.bob_there.connect()]
        place = [f"--{name}={getattr(self.own, name)}" for name in ("data", "database", "redis")]
        self.assertEqual((await give("disable", "bob", *place))[0], 0)
        self.assertEqual([await line.closed() for line in lines], [3500, 3500])
        self.assertEqual((await self.bob_there.fetch("/")).code, 302)  # to the login
        await anna.send(self.conv, "I am still here")
        self.assertEqual((await anna.receive("ack"))["seq"], 3)


class PurgeTest(AdminCase):
    @tornado.testing.gen_test
    async def test_a_purge_says_how_many_rows_of_each_table_it_has_deleted(self) -> None:
        await self.gather()
        a_year = 365 * 86_400
        for options, deleted, left in (
            ([f"--session-idle={100 * a_year}", f"--session-lifetime={100 * a_year}"], 0, [1, 2]),
            (["--session-idle=1000", f"--session-lifetime={100 * a_year}"], 2, []),
        ):
            code, out, said = await give("purge", *options, *self.place)
            self.assertEqual((code, said), (0, ""))
            self.assertRegex(out, rf"sessions +│ +{deleted} ")
            self.assertEqual((await self.state())[1], left)
        self.assertRegex(out, r"conversations +│ +0 ")


class RefusalTest(AdminCase):
    only_sqlite = True

    @tornado.testing.gen_test
    async def test_what_is_wrong_is_said_on_one_line(self) -> None:
        taken = self.data / "taken"
        taken.write_text("precious")
        broken = self.data / "broken"
        broken.mkdir()
        (broken / "chat.db").write_bytes(b"this is no database, whatever its name says " * 100)
        binary = self.data / "binary"
        binary.mkdir()
        (binary / "secret").write_bytes(b"\xff" * 64)
        (binary / "chat.db").write_bytes(self.file.read_bytes())
        copy, nowhere, no_chat = str(self.data / "copy"), "--data=/nowhere", "there is no chat in"
        mariadb = "--database=mysql+pymysql://anna:hunter2@127.0.0.1:1/chat"
        postgresql = "--database=postgresql+psycopg://anna:hunter2@127.0.0.1:1/chat"
        await self.refused(
            (["users", nowhere], no_chat),
            (["reset-password", "anna", "--chat=nowhere", *self.place], "--chat: "),
            (["reset-password", "anna", *self.place], "there is no secret in"),
            (["reset-password", "anna", nowhere], "there is no secret in"),
            (["backup", copy, nowhere], no_chat),
            (["backup", str(taken), *self.place], "is there already"),
            (["backup", "/nowhere/copy.db", *self.place], "/nowhere/copy.db: No such file"),
            (["users", f"--data={broken}"], "not a database"),
            (["backup", copy, f"--data={broken}"], "not a database"),
            (["users", "--database=nothing://anna"], "nothing"),
            (["users", mariadb], "Can't connect to MySQL server"),
            (["backup", copy + "1", mariadb], "use mariadb-dump for mysql+pymysql://anna:***@"),
            (["users", "--data="], "--data"),
            (["users", "--data=\0"], "--data"),
            (["users", f"--data={taken}"], no_chat),
            (["users", "--data=" + "x" * 300], no_chat),
            (["users", "--database=sqlite://"], "sqlite:///FILE"),
            (["users", "--database=sqlite:////nowhere/chat.db"], no_chat),
            (["users", f"--database=sqlite:///{self.data}"], no_chat),
            (["users", f"{mariadb}?foo=bar"], "--database: the parameter 'foo'"),
            (["users", f"{mariadb}?ssl_ca=/nowhere"], "the database cannot be used"),
            (["users", "--database=mysql+pymysql://u:hunter2@h:x/db"], "--database: the port"),
            (["disable", "anna", "--redis=http://:hunter2@h", *self.place], "--redis: "),
            (["disable", "anna", "--redis=redis://:hunter2@h:x", *self.place], "--redis: "),
            (["disable", "anna", "--redis=redis://h", f"--data={binary}"], "no usable secret"),
            (["users", "--databse=mysql+pymysql://u:hunter2@h/db"], "--databse"),
            (["usres", *self.place], "usres"),
            (["users", "more", *self.place], "more"),
            (["disable", *self.place], "argument 'NAME'; see --help"),
            (["users", "--data"], "--data"),
            (["backup", str(self.data / ("x" * 300)), *self.place], "too long"),
            (["backup", str(self.data), *self.place], "is there already"),
            (["backup", copy + "1", postgresql], "use pg_dump for postgresql+psycopg://anna:***@"),
        )
        self.assertEqual(taken.read_text(), "precious")
        self.assertEqual([path.name for path in self.data.glob("copy1*")], [])


class BackupTest(AdminCase):
    only_sqlite = True

    @tornado.testing.gen_test
    async def test_a_database_with_a_fault_is_told_when_it_is_copied(self) -> None:
        await self.execute(
            "CREATE TABLE positive (number INTEGER CHECK (number > 0))",
            "PRAGMA ignore_check_constraints = 1",
            "INSERT INTO positive VALUES (0)",
        )
        code, _out, said = await give("backup", str(self.data / "copy.db"), *self.place)
        self.assertEqual(code, 2)
        self.assertIn("the copy is broken: CHECK constraint failed in positive", said)

    @tornado.testing.gen_test
    async def test_a_copy_is_whole_though_the_chat_goes_on_writing(self) -> None:
        await self.execute("CREATE TABLE pairs (one INTEGER, two INTEGER, more BLOB)")
        stored, stop, enough = 0, asyncio.Event(), asyncio.Event()

        async def write() -> None:
            nonlocal stored
            while not stop.is_set():
                # Two rows in one commit: a copy has both or neither.
                row = f"INSERT INTO pairs VALUES ({stored}, {{}}, zeroblob(3000))"
                await self.execute(row.format(1), row.format(2))
                stored += 1
                if stored == 20:
                    enough.set()

        writing = asyncio.ensure_future(write())
        await enough.wait()
        before = stored
        copy = self.file.parent / "copy.db"
        try:
            code, out, said = await start("backup", str(copy), *self.place)
        finally:
            stop.set()
            await writing
        self.assertEqual((code, said), (0, ""))
        self.assertIn(str(copy.stat().st_size), out)
        self.assertEqual(stat.S_IMODE(copy.stat().st_mode), 0o600)  # it holds what people said
        self.assertGreater(stored, before)  # it did go on
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            self.assertEqual(connection.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            rows = connection.execute("SELECT one, two FROM pairs ORDER BY one, two").fetchall()
        self.assertEqual(rows, [(n, two) for n in range(len(rows) // 2) for two in (1, 2)])
        self.assertGreaterEqual(len(rows) // 2, before)


class CommandTest(tornado.testing.AsyncTestCase):
    @tornado.testing.gen_test
    async def test_a_driver_that_is_missing_is_named_with_its_package(self) -> None:
        missing = ModuleNotFoundError("No module named 'psycopg'", name="psycopg")
        with mock.patch.object(admin.app, "main", side_effect=missing):
            code, _out, said = await give("users", "--database=postgresql+psycopg://h/chat")
        told = "admin: --database: its driver is missing; pip install psycopg\n"
        self.assertEqual((code, said), (2, told))

    @tornado.testing.gen_test
    async def test_help_names_every_command(self) -> None:
        for arguments, expected in (["--help"], 0), ([], 2):
            code, out, said = await start(*arguments)
            self.assertEqual((code, said), (expected, ""))
            for command in "users", "disable", "enable", "reset-password", "purge", "backup":
                self.assertIn(command, out)
