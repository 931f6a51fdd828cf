"""Connections to SQLite, MariaDB or MySQL, and PostgreSQL, set up so that they behave alike.

Nothing here waits for ever: a server that is gone, or a row that somebody else keeps locked, is an
error after some seconds, and the next connection is a new one.
"""

import contextlib
import logging
import sqlite3
import ssl
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

from capstone_chat.storage import files

log = logging.getLogger(__name__)

CONNECT_WITHIN = 5
"""Seconds in which a server must take a connection."""

LOCKED_AT_MOST = 5
"""Seconds to wait for a row that another process has locked."""

PATIENCE = 15
"""Seconds in which a server must answer a statement."""

A_DAY = 86_400
"""Seconds."""

Unreachable = (
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    sa.exc.InternalError,
    sa.exc.TimeoutError,
)
"""What is raised when the database is the one that is in trouble; it may be well again soon."""

_LOST_A_RACE: set[int | str] = {1213, 1020, "40P01", "40001"}
"""Deadlocks and changes under one's feet, as MariaDB and PostgreSQL number them."""

_WAITED_TOO_LONG: set[int | str] = {1205, "55P03", "57014"}
"""A lock was not given in time, or a statement took too long."""


def connect(
    url: str | sa.URL, *, connections: int = 5, patience: int | None = PATIENCE
) -> sa.Engine:
    """Return an engine for a database; it connects when it is used, to an SQLite file at once.

    Args:
        connections: how many are kept open; as many again are opened for a moment when needed.
        patience: seconds in which a statement must be answered; None waits, for locks too.
    """
    parsed = sa.make_url(url)
    # What is stored (messages, hashes) must not get into the log by way of an error's text.
    common: dict[str, Any] = {"hide_parameters": True}
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(parsed, common, LOCKED_AT_MOST if patience else A_DAY)
        case "mysql" | "mariadb":
            common["connect_args"] = _mysql(patience)
        case "postgresql":
            common["connect_args"] = _postgresql(patience)
    engine = sa.create_engine(
        parsed,
        **common,
        # Each statement sees what was committed before it, so what is read after a lock is true.
        isolation_level="READ COMMITTED",
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=CONNECT_WITHIN,
        pool_pre_ping=True,  # a connection that was cut meanwhile is replaced
        pool_recycle=1800,
    )
    if parsed.get_driver_name() == "pymysql":
        _share_certificates(engine)
    return engine


def is_retryable(error: BaseException) -> bool:
    """Tell whether two processes stood in each other's way: the same work, begun anew, will do."""
    return _is_one_of(error, _LOST_A_RACE)


def aborts_transaction(error: BaseException) -> bool:
    """Tell whether nothing more can come of the transaction in which this was raised."""
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return True
    return _is_one_of(error, _LOST_A_RACE | _WAITED_TOO_LONG)


def _is_one_of(error: BaseException | None, codes: set[int | str]) -> bool:
    while error is not None:
        cause = getattr(error, "orig", None)
        first = cause.args[0] if cause is not None and cause.args else None
        if getattr(cause, "sqlstate", None) in codes or (type(first) is int and first in codes):
            return True
        error = error.__context__  # what undoing it has raised hides what went wrong first
    return False


def _mysql(patience: int | None) -> dict[str, Any]:
    # A server that is not strict would cut what is too long, and the chat would acknowledge it.
    first = "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')"
    return {
        "charset": "utf8mb4",
        "connect_timeout": CONNECT_WITHIN,
        "read_timeout": patience,
        "write_timeout": patience,
        "init_command": f"{first}, innodb_lock_wait_timeout = {LOCKED_AT_MOST}",
    }


def _share_certificates(engine: sa.Engine) -> None:
    """Let all connections of an engine share what PyMySQL needs for TLS.

    It would read the system's certificates for each: 20 ms in which no other thread runs, the loop
    included. While a server is away it is tried again and again.
    """
    from pymysql.connections import Connection  # type: ignore[import-untyped]

    class SharingConnection(Connection):  # type: ignore[misc]
        shared: ssl.SSLContext | None = None

        def _create_ssl_ctx(self, sslp: Any) -> ssl.SSLContext:
            if SharingConnection.shared is None:
                SharingConnection.shared = super()._create_ssl_ctx(sslp)
            return SharingConnection.shared

    @sa.event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        return SharingConnection(*arguments, **options)


def _postgresql(patience: int | None) -> dict[str, Any]:
    settings: dict[str, Any] = {"connect_timeout": CONNECT_WITHIN}
    if patience is not None:
        limits = {"statement_timeout": patience, "lock_timeout": LOCKED_AT_MOST}
        settings["options"] = " ".join(f"-c {name}={s * 1000}" for name, s in limits.items())
        # The kernel gives up a host that has vanished.
        settings |= {"tcp_user_timeout": patience * 1000, "keepalives_idle": patience}
        settings |= {"keepalives_interval": 5, "keepalives_count": 2}
    return settings


NO_FILE = "the file of the database is gone: put it back, or restart the chat to begin a new one"
ANOTHER_FILE = "another file is in place of the database: put the old one back, or restart the chat"


class FileGoneError(sqlite3.OperationalError):
    """The SQLite file that is open is no longer at its path."""


def problem(error: BaseException) -> str:
    """Return a text for operators that says why a database is in trouble, without private data."""
    if isinstance(error, sa.exc.DBAPIError) and isinstance(error.orig, FileGoneError):
        return str(error.orig)
    return "the database does not answer"


Identity = tuple[int, int] | None
"""Device and inode of a file; None when there is none."""


def _identity(path: Path) -> Identity:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


class _OpenFile:
    """The SQLite database that an engine has open, compared with the files at its path.

    SQLite goes on writing to a file that was deleted, renamed or replaced; only without a WAL does
    it notice (SQLITE_READONLY_DBMOVED). Such commits are on no disk after a restart. The -wal file
    holds what was committed last and the -shm file the locks, so they are compared as well.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._journals = [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")]
        self._opened: dict[Path, Identity] = {}
        self._connections = 0
        self._missed = False
        self._lock = threading.Lock()

    def connect(self) -> None:
        """Note a connection that was opened; the first one opens the journals as well.

        Raises:
            FileGoneError: another file was at the path when it was opened.
        """
        with self._lock:
            if not self._connections:  # SQLite deletes the journals with the last connection
                self._opened.update({path: _identity(path) for path in self._journals})
            self._opened.setdefault(self._path, _identity(self._path))
            self._require(self._opened)
            self._connections += 1

    def disconnect(self) -> None:
        """Note a connection that was closed."""
        with self._lock:
            self._connections -= 1

    def require_database(self) -> None:
        """Check before a connection is made: SQLite would create a database that is missing.

        Raises:
            FileGoneError: the database is not at its path.
        """
        if self._path in self._opened:
            with self._lock:
                self._require([self._path])

    def require(self) -> None:
        """Check that nothing was moved; takes about 6 microseconds.

        Raises:
            FileGoneError: one of the files is not at its path.
        """
        with self._lock:
            self._require(self._opened)
            if self._missed:
                self._missed = False
                log.warning("%s: the database is back at its path", self._path)

    def _require(self, paths: Iterable[Path]) -> None:
        for path in paths:
            if (found := _identity(path)) != self._opened[path]:
                reason = ANOTHER_FILE if found else NO_FILE
                if not self._missed:
                    self._missed = True
                    log.error("%s: %s", path, reason)
                raise FileGoneError(reason)


class _Connection(sqlite3.Connection):
    """A connection whose commit fails when its files are not at their paths after it."""

    file: _OpenFile | None = None

    def commit(self) -> None:
        super().commit()
        self.require()

    def require(self) -> None:
        """Raise `FileGoneError` unless the files of this connection are at their paths."""
        if self.file is None:
            return
        try:
            self.file.require()
        except FileGoneError:
            self._empty_wal()
            raise

    def close(self) -> None:
        """Close; SQLite deletes the journals with the last connection."""
        with contextlib.suppress(sqlite3.Error):
            self.require()  # a restart follows, perhaps with another file
        super().close()
        if self.file is not None:
            self.file.disconnect()
            self.file = None

    def _empty_wal(self) -> None:
        """Move the WAL into the file that it belongs to.

        SQLite would apply what is left in it to the file that is at the path after a restart, and
        damage a backup that was put there. Readers may be in the way: then the next call does it.
        """
        with contextlib.suppress(sqlite3.Error):
            self.execute("PRAGMA busy_timeout = 0")
            self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self.execute("PRAGMA busy_timeout = 5000")


def _sqlite(url: sa.URL, common: dict[str, Any], locked_at_most: int) -> sa.Engine:
    path = Path(url.database or "").absolute()
    files.create_private(path)
    file = _OpenFile(path)
    engine = sa.create_engine(url, **common, connect_args={"factory": _Connection})

    @sa.event.listens_for(engine, "do_connect")
    def before_connect(*_: Any) -> None:
        file.require_database()

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        # The driver would begin transactions by itself, but not before a SELECT: what is read could
        # be stale when it is written. So it is told not to, and `begin` below does it.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # a commit outlives a power cut
        cursor.execute(f"PRAGMA busy_timeout = {locked_at_most * 1000}")
        cursor.execute("PRAGMA cache_size = -16384")  # KiB: the pages of a batch stay in memory
        cursor.execute("PRAGMA wal_autocheckpoint = 4000")  # pages: 16 MiB before they are moved
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("SELECT count(*) FROM sqlite_master").fetchall()  # opens the journals
        cursor.close()
        try:
            file.connect()
        except FileGoneError:
            connection.close()
            raise
        connection.file = file

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        if writes:
            try:
                cast(_Connection, connection.connection.dbapi_connection).require()
            except FileGoneError as error:
                raise sa.exc.OperationalError("BEGIN", None, error) from error
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    engine.connect().close()  # the file that is open is the one at its path from here on
    return engine
