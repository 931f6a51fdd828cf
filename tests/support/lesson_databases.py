"""Databases for one test: an SQLite file, or a new database on the server of the tests."""

import contextlib
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.support.lesson_case import import_script
from tests.support.services import require


def own_name() -> str:
    """Return a new name for a database."""
    return f"learn_tornado_{uuid.uuid4().hex[:12]}"


@contextlib.contextmanager
def sqlite() -> Iterator[str]:
    """Yield the URL of an SQLite file in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder, 'test.db')}"


@contextlib.contextmanager
def mariadb() -> Iterator[str]:
    """Yield the URL of a new database in MariaDB, which is removed afterwards."""
    url, name = require("mariadb"), own_name()
    with contextlib.closing(import_script("07_databases", "app").Connection(url)) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{url.rpartition('/')[0]}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name}")


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """Yield the URL, without `+psycopg`, of a new database in PostgreSQL, removed afterwards."""
    url, name = require("postgresql").replace("+psycopg", ""), own_name()
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{url.rpartition('/')[0]}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
