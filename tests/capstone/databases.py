"""The databases that the tests of the chat run on: SQLite, or with TEST_DATABASE a server.

    TEST_DATABASE=mariadb python3 learn.py test tests/capstone
    TEST_DATABASE=postgresql python3 learn.py test tests/capstone

For SQLite a test gets a file of its own: a copy of one that was migrated once, because migrating
costs more than most tests do. On a server each test process has one database of its own, which is
migrated once and emptied before each test; tests about SQLite itself (`only_sqlite`) are left out.
"""

import functools
import os
import secrets
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from capstone_chat import urls
from capstone_chat.storage import engines, migrate, tables
from tests.support.services import MissingServiceError, find

SERVERS = ("mariadb", "postgresql")
CHOSEN = os.environ.get("TEST_DATABASE", "") or "sqlite"

PLAIN = {"mariadb": {"ssl_disabled": "true"}, "postgresql": {"sslmode": "disable"}}
"""Connections that are not encrypted: to make that ready costs more than most tests do."""

FROM_ONE = {
    "mariadb": "ALTER TABLE {} AUTO_INCREMENT = 1",
    "postgresql": "ALTER SEQUENCE {}_id_seq RESTART",
}
"""What lets the ids of an empty table begin at 1 again."""

_made: dict[str, sa.Engine] = {}


def check_choice() -> None:
    """Refuse to test on something else than what was asked for."""
    if CHOSEN == "sqlite":
        return
    if CHOSEN not in SERVERS:
        raise pytest.UsageError(f"TEST_DATABASE={CHOSEN}: give sqlite or {' or '.join(SERVERS)}")
    try:
        find(CHOSEN)
    except MissingServiceError as missing:
        raise pytest.UsageError(f"TEST_DATABASE={CHOSEN}: {missing}") from None


def chosen_url() -> str:
    """Return the URL of an empty chat database on the chosen server.

    The URL is empty for SQLite: each test makes its own file.
    """
    return "" if CHOSEN == "sqlite" else empty(CHOSEN)


def make_file(file: Path) -> None:
    """Make an empty SQLite database of the chat, brought up to date."""
    file.write_bytes(_migrated_file())


@functools.cache
def _migrated_file() -> bytes:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "chat.db"
        engine = engines.create_engine(urls.sqlite_url(file), connections=1)
        migrate.migrate(engine)
        engine.dispose()  # the last one to close it brings the file itself up to date
        return file.read_bytes()


def empty(server: str) -> str:
    """Return the URL of this process's chat database on a server, brought up to date and empty."""
    engine = _made.get(server) or _make(server)
    with engine.begin() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if (
                connection.execute(table.delete()).rowcount
                and table.autoincrement_column is not None
            ):
                connection.execute(sa.text(FROM_ONE[server].format(table.name)))
    return engine.url.render_as_string(hide_password=False)


def _make(server: str) -> sa.Engine:
    _admin(server, "CREATE DATABASE", _name())
    engine = engines.create_engine(_url(server, _name()), connections=1)
    migrate.migrate(engine)
    _made[server] = engine
    return engine


@contextmanager
def unmigrated(server: str) -> Generator[str, None, None]:
    """Give the URL of a new database without any tables, and drop it afterwards."""
    name = _name() + "_new"
    _admin(server, "CREATE DATABASE", name)
    try:
        yield _url(server, name)
    finally:
        _admin(server, "DROP DATABASE", name)


def drop_all() -> None:
    """Leave nothing on the servers."""
    for server, engine in _made.items():
        engine.dispose()
        _admin(server, "DROP DATABASE", _name())
    _made.clear()


def _url(server: str, name: str) -> str:
    url = sa.make_url(find(server)).set(database=name)
    return url.set(query=url.query or PLAIN[server]).render_as_string(hide_password=False)


@functools.cache
def _name() -> str:
    # Not the process id: a container or another host may use the same server and have the same one.
    return f"learn_tornado_chat_{secrets.token_hex(6)}"


def _admin(server: str, action: str, name: str) -> None:
    if server == "mariadb" and action.startswith("CREATE"):
        # Not what the chat wants, and what many servers have: its own tables must not depend on it.
        name += " CHARACTER SET latin1 COLLATE latin1_swedish_ci"
    if server == "postgresql" and action.startswith("DROP"):
        name += " WITH (FORCE)"
    engine = sa.create_engine(find(server), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(f"{action} {name}"))


@functools.cache
def is_server() -> bool:
    """Whether the tests run on a server that serves many processes at once."""
    return CHOSEN != "sqlite"
