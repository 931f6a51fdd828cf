"""A migration is killed at every statement, and started again.

MariaDB commits each statement that changes a table, so a killed migration leaves a part of itself
there. On SQLite and PostgreSQL it is one transaction.

Other users are not measured here: a process migrates before it serves anybody, and a migration of
large tables while other processes serve is not supported (see `capstone_chat/deploy/README.md`).
"""

import asyncio
import hashlib
import json
import secrets
import signal
import sys
import uuid
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
from capstone_chat.storage import engines, tables
from capstone_chat.storage.database import now_ms
from fault_injection.harness.api_session import RawConnection
from fault_injection.harness.context import Context, FaultError
from fault_injection.harness.leaks import stop_all
from fault_injection.harness.migrating import MigrationJob, Outcome
from fault_injection.harness.processes import ROOT, ChatProcess, Process
from fault_injection.harness.servers import DatabaseServer, MariaDB, PostgreSQL

EVENTS = 1100
"""Messages in the database of the first version: more than one page of the migration that changes
each of them."""

READS = ("SELECT", "SHOW", "DESCRIBE", "PRAGMA", "SET", "BEGIN")
"""Statements after which the database is as before."""

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
"""Rows of a database of the first version, by table, in the order of the foreign keys."""


Contents = dict[str, list[str]]
"""The shape and the rows of each table."""


class Migrations(Process):
    """Runs `migrating`."""

    async def start(self) -> "Migrations":
        """Start it."""
        pipe = asyncio.subprocess.PIPE
        module = "fault_injection.harness.migrating"
        await self.spawn(sys.executable, "-m", module, cwd=ROOT, stdin=pipe, stdout=pipe)
        return self

    async def run_migration(self, job: MigrationJob) -> Outcome:
        """Run one migration and return how it has ended."""
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
    """A kind of database, and new databases of that kind."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.numbers = count()

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, give its URL, and remove it afterwards."""
        name = f"chat{next(self.numbers)}"
        url = self.make(name)
        try:
            yield url
        finally:
            self.drop(name)

    @abstractmethod
    def make(self, name: str) -> str:
        """Make an empty database and return its URL."""

    @abstractmethod
    def drop(self, name: str) -> None:
        """Remove a database."""


class SQLiteFiles(DatabaseKind):
    """SQLite files."""

    def __init__(self, folder: Path) -> None:
        super().__init__("SQLite")
        self.folder = folder
        folder.mkdir()

    def make(self, name: str) -> str:
        """Return the URL of a file that is made when it is used."""
        return str(urls.sqlite_url(self.folder / f"{name}.db"))

    def drop(self, name: str) -> None:
        """Remove a file and those that SQLite has put beside it."""
        for file in self.folder.glob(f"{name}.db*"):
            file.unlink()


class ServerDatabases(DatabaseKind):
    """Databases on a server.

    Args:
        first: a database that is there.
        force: ends the connections of dead processes, which keep a database from being removed.
    """

    def __init__(
        self, context: Context, server: DatabaseServer, first: str, force: str = ""
    ) -> None:
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
        """Make an empty database and return its URL."""
        self.execute(f"CREATE DATABASE {name}")
        return f"{self.server}/{name}"

    def drop(self, name: str) -> None:
        """Remove a database."""
        self.execute(f"DROP DATABASE {name}{self.force}")


async def run(context: Context) -> None:
    """On all three kinds of database at the same time."""
    # Processes are killed, the machine is not: nothing has to reach the disk.
    maria = MariaDB(context, "--innodb-flush-method=nosync", "--sync-frm=0")
    postgres = PostgreSQL(context)
    await asyncio.gather(maria.start(), postgres.start())
    killers = (
        Killer(context, ServerDatabases(context, maria, "chat"), every=3),
        Killer(context, ServerDatabases(context, postgres, "postgres", " WITH (FORCE)"), every=12),
        Killer(context, SQLiteFiles(context.folder / "files"), every=12),
    )
    async with asyncio.TaskGroup() as group:
        for killer in killers:
            group.create_task(killer.run())


class Killer:
    """Kills the migrations of one kind of database.

    Args:
        every: one of how many points is tried in the short form.
    """

    def __init__(self, context: Context, kind: DatabaseKind, every: int) -> None:
        self.context = context
        self.kind = kind
        self.every = every
        self.migrations = Migrations(context, f"migrating-{kind.name}")

    async def run(self) -> None:
        """Kill migrations of an empty database, and of one of the first version."""
        await self.migrations.start()
        for first in False, True:
            with self.kind.database() as url:
                await self.prepare(url, first)
                statements = (await self.migrate(url)).statements
                whole = await asyncio.to_thread(contents_of, url)
            some = changes(statements)[self.context.rng.randrange(self.every) :: self.every]
            points = self.context.short_or_long(some, [*range(len(statements) + 1)])
            jobs = [MigrationJob(die_before=point) for point in points]
            # In the middle of a statement as well.
            times = [
                self.context.rng.uniform(0, 0.4) for _ in range(self.context.short_or_long(1, 40))
            ]
            jobs += [MigrationJob(die_after=seconds) for seconds in times]
            for job in jobs:
                await self.kill(job, first, whole)
            self.context.count(f"{self.kind.name}: kills", len(jobs))
        await self.serve()

    async def prepare(self, url: str, first: bool) -> None:
        """Make an empty database one of the first version, or leave it empty."""
        if first:
            await self.migrate(url, first=True)
            await asyncio.to_thread(insert_first_version, url)

    async def migrate(self, url: str, *, first: bool = False) -> Outcome:
        """Migrate to the end."""
        outcome = await self.migrations.run_migration(MigrationJob(url, first=first))
        if outcome.status:
            raise FaultError(f"{self.kind.name}: {self.migrations.read_log()[-3000:]}")
        return outcome

    async def kill(self, job: MigrationJob, first: bool, whole: Contents) -> None:
        """Kill one migration, migrate again, and compare."""
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
        """Kill a migration half-way, and start the chat: in the long form two processes at once."""
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
            connection = await RawConnection.open(chats[0].url, cookie)
            cid = str(uuid.uuid4())
            await connection.send(type="send", cid=cid, conv=CONVERSATION, text="still here")
            answer = await connection.receive("ack", "error")
            self.context.expect_equal(f"{half}: seq of a message", answer.get("seq"), EVENTS + 1)
            path = f"/api/conversations/{CONVERSATION}/search?query={WORD.casefold()}%20{EVENTS}"
            http = tornado.httpclient.AsyncHTTPClient(force_instance=True)
            response = await http.fetch(chats[-1].url + path, headers={"Cookie": cookie})
            found = [event["seq"] for event in json.loads(response.body)["events"]]
            self.context.expect_equal(f"{half}: an old message is found", found, [EVENTS])
            http.close()
            await connection.close()
            await stop_all(self.context, *chats)


def changes(statements: list[str]) -> list[int]:
    """Return the numbers of the statements before which the database has just changed."""
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
    """Return the shape of each table and its rows, in an order that does not depend on how they
    came there."""
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
    """Return the contents of the database of a URL."""
    engine = engines.create_engine(url)
    try:
        return contents(engine)
    finally:
        engine.dispose()


def log_in(url: str, data: Path) -> str:
    """Begin a session of the first user, and return the value of the Cookie header."""
    token = secrets.token_urlsafe(32)
    row = {"token_hash": hashlib.sha256(token.encode()).hexdigest(), "user_id": 1, "agent": ""}
    engine = engines.create_engine(url)
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(
            tables.sessions.insert().values(**row, created_at=now_ms(), seen_at=now_ms())
        )
    engine.dispose()
    value = tornado.web.create_signed_value(load_or_create_secret(data), "session", token)
    return f"session={value.decode()}"
