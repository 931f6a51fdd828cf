"""The four methods of torndb for Python 3, over PyMySQL or over the sqlite3 of Python.

    with contextlib.closing(Connection("mysql://user:password@localhost/houses")) as db:
        db.get("SELECT title FROM houses WHERE id = %s", 7).title

Values replace %s, or %(name)s if they are given by name.
"""

import re
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import pymysql
from tornado.ioloop import IOLoop

Result = TypeVar("Result")
PATIENCE = 5  # seconds until a server that does not answer counts as missing
_opening = threading.Lock()


class Row(dict[str, Any]):
    """A row whose columns are keys and attributes: row["title"], row.title."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the row has no column {name}") from None


class Connection:
    """One connection: used by one thread at a time, with one transaction at a time."""

    def __init__(self, url: str) -> None:
        self._sqlite = url.startswith("sqlite:")
        self._link = _sqlite(url) if self._sqlite else _mysql(url)

    def close(self) -> None:
        self._link.close()

    def get(self, sql: str, *values: Any, **named: Any) -> Row | None:
        """Return the only row, or None; raise LookupError if there are several."""
        rows = self.query(sql, *values, **named)
        if len(rows) > 1:
            raise LookupError("Multiple rows returned for get()")
        return rows[0] if rows else None

    def query(self, sql: str, *values: Any, **named: Any) -> list[Row]:
        cursor = self._run(sql, values, named)
        names = [column[0] for column in cursor.description]
        return [Row(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def execute(self, sql: str, *values: Any, **named: Any) -> int:
        """Return the id of the row that was inserted last."""
        return self._run(sql, values, named).lastrowid or 0

    def execute_rowcount(self, sql: str, *values: Any, **named: Any) -> int:
        """Return how many rows have changed."""
        return self._run(sql, values, named).rowcount

    def is_alive(self) -> bool:
        """Whether the server still answers: MySQL closes a connection after eight idle hours."""
        try:
            if not self._sqlite:
                self._link.ping()
        except pymysql.err.Error:
            return False
        return True

    def _run(self, sql: str, values: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if values and named:
            raise TypeError("give the values by position or by name, not both")
        if self._sqlite:  # its placeholders are ? and :name
            marks = {"%s": "?", "%%": "%"}
            sql = re.sub(r"%(?:[s%]|\((\w+)\)s)", lambda m: marks.get(m[0], f":{m[1]}"), sql)
        cursor = self._link.cursor()
        # The driver gets the SQL and the values separately: no value is ever read as SQL.
        cursor.execute(sql, named or values)
        return cursor


def _sqlite(url: str) -> sqlite3.Connection:
    # No isolation level: each statement is committed at once, as in torndb, unless you BEGIN.
    # Any thread may use it; the pool makes sure that only one does at a time.
    link = sqlite3.connect(
        url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False
    )
    with _opening:  # two threads that change a new file at the same time get an error
        link.execute("PRAGMA journal_mode = WAL")  # readers do not wait for a writer
    return link


def _mysql(url: str) -> pymysql.Connection:
    place = urlsplit(url)
    return pymysql.connect(
        host=place.hostname or "localhost",
        port=place.port or 3306,
        user=unquote(place.username or ""),
        password=unquote(place.password or ""),
        database=place.path.lstrip("/"),
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=PATIENCE,
    )


class Pool:
    """A few threads that wait for the database, each with a connection of its own."""

    def __init__(self, url: str, size: int = 4) -> None:
        self._url = url
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(size)

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """Call work with a connection, in a thread; the event loop is free until it returns."""
        return await IOLoop.current().run_in_executor(self._threads, self._lend, work)

    def _lend(self, work: Callable[[Connection], Result]) -> Result:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection and not connection.is_alive():
            connection.close()
            connection = None
        connection = connection or Connection(self._url)
        try:
            result = work(connection)
        except BaseException:
            connection.close()  # it may be in the middle of a transaction: make a new one next time
            raise
        with self._lock:
            self._idle.append(connection)
        return result

    async def get(self, sql: str, *values: Any, **named: Any) -> Row | None:
        return await self.run(lambda db: db.get(sql, *values, **named))

    async def query(self, sql: str, *values: Any, **named: Any) -> list[Row]:
        return await self.run(lambda db: db.query(sql, *values, **named))

    async def execute(self, sql: str, *values: Any, **named: Any) -> int:
        return await self.run(lambda db: db.execute(sql, *values, **named))

    async def execute_rowcount(self, sql: str, *values: Any, **named: Any) -> int:
        return await self.run(lambda db: db.execute_rowcount(sql, *values, **named))

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
        for connection in self._idle:
            connection.close()
