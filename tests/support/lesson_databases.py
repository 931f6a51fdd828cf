"""Databases for one test: a SQLite file, or one of its own in the server that the tests use."""

import contextlib
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.support.lesson_case import import_script
from tests.support.services import require


def own_name() -> str:
    return f"learn_tornado_{uuid.uuid4().hex[:12]}"


@contextlib.contextmanager
def sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder, 'test.db')}"


@contextlib.contextmanager
def mariadb() -> Iterator[str]:
    url, name = require("mariadb"), own_name()
    with contextlib.closing(import_script("07_databases", "app").Connection(url)) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{url.rpartition('/')[0]}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name}")


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """The address has no +psycopg."""
    url, name = require("postgresql").replace("+psycopg", ""), own_name()
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{url.rpartition('/')[0]}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
