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

CONNECT_TIMEOUT = 5
"""Seconds in which a server must take a connection."""

LOCK_TIMEOUT = 5
"""Seconds to wait for a row that another process has locked."""

STATEMENT_TIMEOUT = 15
"""Seconds in which a server must answer a statement."""

MIGRATION_LOCK_TIMEOUT = 86_400
"""Seconds to wait for the lock of an SQLite file without a statement timeout: SQLite has no value
that means no limit."""

DATABASE_ERRORS = (
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    sa.exc.InternalError,
    sa.exc.TimeoutError,
)
"""Exceptions that say that the database cannot serve now; the same statement may succeed later."""

_RETRYABLE_CODES: set[int | str] = {1213, 1020, "40P01", "40001"}
"""Codes of MariaDB and PostgreSQL for deadlocks and serialization failures."""

_TIMEOUT_CODES: set[int | str] = {1205, "55P03", "57014"}
"""Codes of MariaDB and PostgreSQL for lock timeouts and statement timeouts."""


def create_engine(
    url: str | sa.URL, *, connections: int = 5, statement_timeout: int | None = STATEMENT_TIMEOUT
) -> sa.Engine:
    """Return an engine for a database; it connects when it is used, to an SQLite file at once.

    Args:
        connections: how many are kept open; as many again are opened for a moment when needed.
        statement_timeout: seconds in which a statement must be answered; None waits for as long as
            it takes, for locks too.
    """
    parsed = sa.make_url(url)
    # What is stored (messages, hashes) must not get into the log by way of an error's text.
    common: dict[str, Any] = {"hide_parameters": True}
    match parsed.get_backend_name():
        case "sqlite":
            return _create_sqlite_engine(
                parsed, common, LOCK_TIMEOUT if statement_timeout else MIGRATION_LOCK_TIMEOUT
            )
        case "mysql" | "mariadb":
            common["connect_args"] = _mysql_arguments(statement_timeout)
        case "postgresql":
            common["connect_args"] = _postgresql_arguments(statement_timeout)
    engine = sa.create_engine(
        parsed,
        **common,
        # Each statement sees what was committed before it, so what is read after a lock is true.
        isolation_level="READ COMMITTED",
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=CONNECT_TIMEOUT,
        pool_pre_ping=True,  # a connection that was cut meanwhile is replaced
        pool_recycle=1800,
    )
    if parsed.get_driver_name() == "pymysql":
        _share_tls_context(engine)
    return engine


def is_retryable(error: BaseException) -> bool:
    """Tell whether two transactions were in conflict: the same work in a new one will succeed."""
    return _has_code(error, _RETRYABLE_CODES)


def aborts_transaction(error: BaseException) -> bool:
    """Tell whether the database has rolled back the transaction in which this was raised."""
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return True
    return _has_code(error, _RETRYABLE_CODES | _TIMEOUT_CODES)


def _has_code(error: BaseException | None, codes: set[int | str]) -> bool:
    while error is not None:
        cause = getattr(error, "orig", None)
        code = cause.args[0] if cause is not None and cause.args else None
        if getattr(cause, "sqlstate", None) in codes or (type(code) is int and code in codes):
            return True
        error = error.__context__  # what undoing it has raised hides what went wrong first
    return False


def _mysql_arguments(statement_timeout: int | None) -> dict[str, Any]:
    # A server that is not strict would cut what is too long, and the chat would acknowledge it.
    first = "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')"
    return {
        "charset": "utf8mb4",
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": statement_timeout,
        "write_timeout": statement_timeout,
        "init_command": f"{first}, innodb_lock_wait_timeout = {LOCK_TIMEOUT}",
    }


def _share_tls_context(engine: sa.Engine) -> None:
    """Let all connections of an engine share one TLS context.

    PyMySQL would read the system's certificates for each connection: 20 ms in which no other thread
    runs, the event loop included. While a server is away it is tried again and again.
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


def _postgresql_arguments(statement_timeout: int | None) -> dict[str, Any]:
    settings: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT}
    if statement_timeout is not None:
        limits = {"statement_timeout": statement_timeout, "lock_timeout": LOCK_TIMEOUT}
        settings["options"] = " ".join(f"-c {name}={s * 1000}" for name, s in limits.items())
        # The kernel gives up a host that has vanished.
        settings |= {
            "tcp_user_timeout": statement_timeout * 1000,
            "keepalives_idle": statement_timeout,
        }
        settings |= {"keepalives_interval": 5, "keepalives_count": 2}
    return settings


FILE_MISSING = (
    "the file of the database is gone: put it back, or restart the chat to begin a new one"
)
FILE_REPLACED = (
    "another file is in place of the database: put the old one back, or restart the chat"
)


class FileGoneError(sqlite3.OperationalError):
    """The SQLite file that is open is no longer at its path."""


def unhealthy_reason(error: BaseException) -> str:
    """Return why a database cannot serve, for operators and without private data."""
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
        self._loss_logged = False
        self._lock = threading.Lock()

    def note_opened(self) -> None:
        """Note a connection that was opened; the first one opens the journals as well.

        Raises:
            FileGoneError: another file was at the path when it was opened.
        """
        with self._lock:
            if not self._connections:  # SQLite deletes the journals with the last connection
                self._opened.update({path: _identity(path) for path in self._journals})
            self._opened.setdefault(self._path, _identity(self._path))
            self._require_paths(self._opened)
            self._connections += 1

    def note_closed(self) -> None:
        """Note a connection that was closed."""
        with self._lock:
            self._connections -= 1

    def require_database_in_place(self) -> None:
        """Check before a connection is made: SQLite would create a database that is missing.

        Raises:
            FileGoneError: the database is not at its path.
        """
        if self._path in self._opened:
            with self._lock:
                self._require_paths([self._path])

    def require_in_place(self) -> None:
        """Check that nothing was moved; takes about 6 microseconds.

        Raises:
            FileGoneError: one of the files is not at its path.
        """
        with self._lock:
            self._require_paths(self._opened)
            if self._loss_logged:
                self._loss_logged = False
                log.warning("%s: the database is back at its path", self._path)

    def _require_paths(self, paths: Iterable[Path]) -> None:
        for path in paths:
            if (found := _identity(path)) != self._opened[path]:
                reason = FILE_REPLACED if found else FILE_MISSING
                if not self._loss_logged:
                    self._loss_logged = True
                    log.error("%s: %s", path, reason)
                raise FileGoneError(reason)


class _Connection(sqlite3.Connection):
    """A connection whose commit fails when its files are not at their paths after it."""

    file: _OpenFile | None = None

    def commit(self) -> None:
        super().commit()
        self.require_in_place()

    def require_in_place(self) -> None:
        """Raise `FileGoneError` unless the files of this connection are at their paths."""
        if self.file is None:
            return
        try:
            self.file.require_in_place()
        except FileGoneError:
            self._empty_wal()
            raise

    def close(self) -> None:
        """Close; SQLite deletes the journals with the last connection."""
        with contextlib.suppress(sqlite3.Error):
            self.require_in_place()  # a restart follows, perhaps with another file
        super().close()
        if self.file is not None:
            self.file.note_closed()
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


def _create_sqlite_engine(url: sa.URL, common: dict[str, Any], lock_timeout: int) -> sa.Engine:
    path = Path(url.database or "").absolute()
    files.create_private(path)
    file = _OpenFile(path)
    engine = sa.create_engine(url, **common, connect_args={"factory": _Connection})

    @sa.event.listens_for(engine, "do_connect")
    def before_connect(*_: Any) -> None:
        file.require_database_in_place()

    @sa.event.listens_for(engine, "connect")
    def configure_connection(connection: Any, _record: object) -> None:
        # The driver would begin transactions by itself, but not before a SELECT: what is read could
        # be stale when it is written. So it is told not to, and `begin` below does it.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # a commit outlives a power cut
        cursor.execute(f"PRAGMA busy_timeout = {lock_timeout * 1000}")
        cursor.execute("PRAGMA cache_size = -16384")  # KiB: the pages of a batch stay in memory
        cursor.execute("PRAGMA wal_autocheckpoint = 4000")  # pages: 16 MiB before they are moved
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("SELECT count(*) FROM sqlite_master").fetchall()  # opens the journals
        cursor.close()
        try:
            file.note_opened()
        except FileGoneError:
            connection.close()
            raise
        connection.file = file

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        if writes:
            try:
                cast(_Connection, connection.connection.dbapi_connection).require_in_place()
            except FileGoneError as error:
                raise sa.exc.OperationalError("BEGIN", None, error) from error
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    engine.connect().close()  # the file that is open is the one at its path from here on
    return engine
