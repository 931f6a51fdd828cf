"""A migration is killed at every statement, and started again.

MariaDB commits each statement that changes a table, so a killed migration leaves some of its
changes in the database. On SQLite and PostgreSQL a migration is one transaction.

The scenario has no bystander: a process migrates before it serves requests, and a migration of
large tables while other processes serve is not supported (see `capstone_chat/deploy/README.md`).
"""

import asyncio
import json
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
import tornado.httpclient
import tornado.web

from capstone_chat import urls
from capstone_chat.options import load_or_create_secret
from capstone_chat.storage import engines
from fault_injection.harness.context import Context, FaultError
from fault_injection.harness.leaks import stop_all
from fault_injection.harness.migrating import MigrationJob, Outcome
from fault_injection.harness.processes import ROOT, ChatProcess, Process
from fault_injection.harness.servers import DatabaseServer, MariaDB, PostgreSQL
from tests.support.api_session import ApiSession
from tests.support.chat_accounts import add_session
from tests.support.chat_client import ChatSocket

EVENTS = 1100
"""Messages in the database of the first version: more than one page of the migration that rewrites
messages."""

READS = ("SELECT", "SHOW", "DESCRIBE", "PRAGMA", "SET", "BEGIN")
"""Statements that do not change the database."""

CONVERSATION, WORD = 1, "Straße"

FIRST_CHAT: dict[str, list[dict[str, Any]]] = {
    "users": [
        {"id": n, "name": name, "name_key": name, "nickname": name.title()}
        | {"password": "x", "created_at": 1000 * n}
        for n, name in enumerate(("anna", "bob"), 1)
    ],
    "conversations": [
        {"id": CONVERSATION, "kind": "group", "title": "Garden", "title_key": "garden"}
        | {"description": "What grows", "public": True, "head": EVENTS, "created_at": 3000}
    ],
    "members": [
        {"conversation_id": CONVERSATION, "user_id": n, "role": role, "joined_at": 3000}
        | {"read_seq": 1}
        for n, role in enumerate(("owner", "member"), 1)
    ],
    "events": [
        {"conversation_id": CONVERSATION, "seq": seq, "type": "message", "user_id": 1 + seq % 2}
        | {"cid": f"cid-{seq}", "text": f"{WORD} {seq}", "at": 3000 + seq}
        for seq in range(1, EVENTS + 1)
    ],
}
"""Rows of a database of the first version, by table. Tables come after those they refer to."""


Contents = dict[str, list[str]]
"""The definition and the rows of each table, by its name."""


class Migrations(Process):
    """The process of `fault_injection.harness.migrating`."""

    async def start(self) -> "Migrations":
        """Start the process."""
        pipe = asyncio.subprocess.PIPE
        module = "fault_injection.harness.migrating"
        await self.spawn(sys.executable, "-m", module, cwd=ROOT, stdin=pipe, stdout=pipe)
        return self

    async def run_migration(self, job: MigrationJob) -> Outcome:
        """Run one migration and return its outcome.

        Raises:
            FaultError: the process has ended.
        """
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(job) + b"\n")
        statements: list[str] = []
        while line := await self.read_line():
            message = json.loads(line)
            if isinstance(message, int):
                return Outcome(message, statements)
            statements = message
        raise FaultError(f"{self.name} has ended: {self.read_log()[-2000:]}")


class DatabaseKind(ABC):
    """A kind of database, which creates databases of that kind.

    Args:
        name: name of the kind.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.numbers = count()

    @contextmanager
    def database(self) -> Iterator[str]:
        """Create an empty database, yield its URL, and remove it afterwards."""
        name = f"chat{next(self.numbers)}"
        url = self.make(name)
        try:
            yield url
        finally:
            self.drop(name)

    @abstractmethod
    def make(self, name: str) -> str:
        """Create an empty database and return its URL."""

    @abstractmethod
    def drop(self, name: str) -> None:
        """Remove a database."""


class SQLiteFiles(DatabaseKind):
    """SQLite files in a new folder.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        """Create the folder."""
        super().__init__("SQLite")
        self.folder = folder
        folder.mkdir()

    def make(self, name: str) -> str:
        """Return the URL of a file, which SQLite creates on first use."""
        return str(urls.sqlite_url(self.folder / f"{name}.db"))

    def drop(self, name: str) -> None:
        """Remove a file and the files that SQLite has created beside it."""
        for file in self.folder.glob(f"{name}.db*"):
            file.unlink()


class ServerDatabases(DatabaseKind):
    """Databases on a server.

    Args:
        context: the context of the scenario.
        server: the server.
        first: an existing database, to connect to.
        force: end of the statement that removes a database, so that the open connections of killed
            processes do not prevent it.
    """

    def __init__(
        self, context: Context, server: DatabaseServer, first: str, force: str = ""
    ) -> None:
        """Prepare an engine; it connects on first use."""
        super().__init__(type(server).__name__)
        self.server = server.server
        self.force = force
        url = f"{self.server}/{first}"
        self.engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        context.stack.callback(self.engine.dispose)

    def execute(self, statement: str) -> None:
        """Execute a statement."""
        with self.engine.connect() as connection:
            connection.execute(sa.text(statement))

    def make(self, name: str) -> str:
        """Create an empty database and return its URL."""
        self.execute(f"CREATE DATABASE {name}")
        return f"{self.server}/{name}"

    def drop(self, name: str) -> None:
        """Remove a database."""
        self.execute(f"DROP DATABASE {name}{self.force}")


async def run(context: Context) -> None:
    """Run on all three kinds of database at the same time."""
    # Only processes are killed, not the machine, so the server need not flush to the disk.
    maria = MariaDB(context, "--innodb-flush-method=nosync", "--sync-frm=0")
    postgres = PostgreSQL(context)
    await asyncio.gather(maria.start(), postgres.start())
    killers = (
        Killer(context, ServerDatabases(context, maria, "chat"), every=9),
        Killer(context, ServerDatabases(context, postgres, "postgres", " WITH (FORCE)"), every=24),
        Killer(context, SQLiteFiles(context.folder / "files"), every=24),
    )
    async with asyncio.TaskGroup() as group:
        for killer in killers:
            group.create_task(killer.run())


class Killer:
    """Kills migrations on one kind of database.

    Args:
        context: the context of the scenario.
        kind: the kind of database.
        every: in the short form, every how many statements a migration is killed.
    """

    def __init__(self, context: Context, kind: DatabaseKind, every: int) -> None:
        self.context = context
        self.kind = kind
        self.every = every
        self.migrations = Migrations(context, f"migrating-{kind.name}")

    async def run(self) -> None:
        """Kill migrations of an empty database, and of a database of the first version."""
        await self.migrations.start()
        for first in False, True:
            with self.kind.database() as url:
                await self.prepare(url, first)
                statements = (await self.migrate(url)).statements
                whole = await asyncio.to_thread(contents_of, url)
            some = changes(statements)[self.context.rng.randrange(self.every) :: self.every]
            points = self.context.short_or_long(some, [*range(len(statements) + 1)])
            jobs = [MigrationJob(die_before=point) for point in points]
            # Kill at random times too, which can be in the middle of a statement.
            times = [
                self.context.rng.uniform(0, 0.4) for _ in range(self.context.short_or_long(1, 40))
            ]
            jobs += [MigrationJob(die_after=seconds) for seconds in times]
            for job in jobs:
                await self.kill(job, first, whole)
            self.context.count(f"{self.kind.name}: kills", len(jobs))
        await self.serve()

    async def prepare(self, url: str, first: bool) -> None:
        """Create the tables and rows of the first version if asked for; else leave it empty."""
        if first:
            await self.migrate(url, first=True)
            await asyncio.to_thread(insert_first_version, url)

    async def migrate(self, url: str, *, first: bool = False) -> Outcome:
        """Migrate without being killed.

        Raises:
            FaultError: the migration failed.
        """
        outcome = await self.migrations.run_migration(MigrationJob(url, first=first))
        if outcome.status:
            raise FaultError(f"{self.kind.name}: {self.migrations.read_log()[-3000:]}")
        return outcome

    async def kill(self, job: MigrationJob, first: bool, whole: Contents) -> None:
        """Kill one migration, migrate again, and compare the contents.

        Args:
            job: how the migration is killed.
            first: whether the database begins as one of the first version.
            whole: the contents after a migration that was not killed.
        """
        what = f"{self.kind.name}, from {'the first version' if first else 'empty'}, {job}"
        self.context.progress(what)
        with self.kind.database() as url:
            await self.prepare(url, first)
            job.url = url
            killed = (await self.migrations.run_migration(job)).status
            if job.die_before is not None:
                self.context.expect_equal(f"{what}: it was killed", killed, -signal.SIGKILL)
            again = await self.migrations.run_migration(MigrationJob(url))
            if again.status:
                error = self.migrations.read_log().strip().rpartition("\n")[2]
                self.context.expect(f"{what}: it starts again", False, error)
                return
            found = await asyncio.to_thread(contents_of, url)
            differ = [table for table in whole if found.get(table) != whole[table]]
            self.context.expect(f"{what}: as if never killed", found == whole, differ)

    async def serve(self) -> None:
        """Kill a migration, and start the chat on its database; in the long form, two processes."""
        with self.kind.database() as url:
            await self.prepare(url, first=True)
            half = MigrationJob(url, die_before=self.context.rng.randrange(20, 60))
            await self.migrations.run_migration(half)
            data = self.context.folder / f"data-{self.kind.name}"
            data.mkdir()
            options = f"--data={data}", f"--database={url}"
            chats = [
                ChatProcess(self.context, f"chat-{self.kind.name}-{n}", *options)
                for n in range(self.context.short_or_long(1, 2))
            ]
            await asyncio.gather(*(chat.start() for chat in chats))
            cookie = await asyncio.to_thread(log_in, url, data)
            connection = await ChatSocket.connect(chats[0].url, cookie)
            await connection.send(CONVERSATION, "still here")
            answer = await connection.receive("ack", "error")
            self.context.expect_equal(f"{half}: seq of a message", answer.get("seq"), EVENTS + 1)
            path = f"/api/conversations/{CONVERSATION}/search?query={WORD.casefold()}%20{EVENTS}"
            http = tornado.httpclient.AsyncHTTPClient(force_instance=True)
            _, answer = await ApiSession(chats[-1].url, cookie, http).call("GET", path)
            found = [event["seq"] for event in answer["events"]]
            self.context.expect_equal(f"{half}: an old message is found", found, [EVENTS])
            http.close()
            await connection.close()
            await stop_all(self.context, *chats)


def changes(statements: list[str]) -> list[int]:
    """Return the numbers of the statements that follow a change of the database."""
    return [n + 1 for n, word in enumerate(statements) if word not in READS]


def insert_first_version(url: str) -> None:
    """Insert the rows of the first version."""
    engine = engines.create_engine(url)
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.execution_options(writes=True).begin() as connection:
        for table, rows in FIRST_CHAT.items():
            connection.execute(metadata.tables[table].insert(), rows)
    engine.dispose()


def contents(engine: sa.Engine) -> Contents:
    """Return the definition and the rows of each table, sorted, so that two databases compare."""
    look = sa.inspect(engine)
    found = {}
    with engine.connect() as connection:
        for table in look.get_table_names():
            rows = connection.execute(sa.select(sa.text("*")).select_from(sa.table(table)))
            parts = (
                look.get_columns(table),
                look.get_foreign_keys(table),
                look.get_unique_constraints(table),
                look.get_indexes(table),
                rows.mappings(),
            )
            sorted_parts = (sorted(repr(sorted(x.items(), key=str)) for x in p) for p in parts)
            found[table] = [str(look.get_pk_constraint(table)), *map(str, sorted_parts)]
    return found


def contents_of(url: str) -> Contents:
    """Return the contents of a database by its URL."""
    engine = engines.create_engine(url)
    try:
        return contents(engine)
    finally:
        engine.dispose()


def log_in(url: str, data: Path) -> str:
    """Insert a session of the first user, and return the value of the Cookie header."""
    engine = engines.create_engine(url)
    token = add_session(engine.execution_options(writes=True), 1)
    engine.dispose()
    value = tornado.web.create_signed_value(load_or_create_secret(data), "session", token)
    return f"session={value.decode()}"
