"""Engines for SQLite, MariaDB or MySQL, and PostgreSQL, configured for the same behaviour.

Every wait has a timeout: an unreachable server, or a row that another process keeps locked, raises
an error after some seconds, and the next use opens a new connection.
"""

import contextlib
import logging
import os
import sqlite3
import ssl
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

from capstone_chat.storage import files
from capstone_chat.storage.compiled import CompiledStatement

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 5
"""Seconds for a server to accept a connection."""

LOCK_TIMEOUT = 5
"""Seconds to wait for a row that another process has locked."""

STATEMENT_TIMEOUT = 15
"""Seconds for a server to answer a statement."""

CANCEL_TIMEOUT = 2
"""Seconds for PostgreSQL to accept that a statement is cancelled, and to answer it then."""

MIGRATION_LOCK_TIMEOUT = 86_400
"""Seconds to wait for the lock of an SQLite file without a statement timeout: SQLite has no value
that means no limit."""

DATABASE_ERRORS = (
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    sa.exc.InternalError,
    sa.exc.TimeoutError,
)
"""Exceptions of a database that is unavailable; the same statement may succeed later."""

_RETRYABLE_CODES: set[int | str] = {1213, 1020, "40P01", "40001"}
"""Codes of MariaDB and PostgreSQL for deadlocks and serialization failures."""

_TIMEOUT_CODES: set[int | str] = {1205, "55P03", "57014"}
"""Codes of MariaDB and PostgreSQL for lock timeouts and statement timeouts."""


def create_engine(
    url: str | sa.URL, *, connections: int = 5, statement_timeout: int | None = STATEMENT_TIMEOUT
) -> sa.Engine:
    """Return an engine for a database; an SQLite file is opened at once, others at the first use.

    Args:
        url: an SQLAlchemy URL.
        connections: number of connections in the pool; as many again are opened temporarily.
        statement_timeout: seconds for the answer to a statement; None waits without a limit, for
            locks too.
    """
    parsed = sa.make_url(url)
    # Without hide_parameters, the text of an error quotes stored values (messages, hashes).
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
        # Each statement sees all commits before it, so values read after taking a lock are current.
        isolation_level="READ COMMITTED",
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=CONNECT_TIMEOUT,
        pool_pre_ping=True,  # replaces a connection that was closed while it was idle
        pool_recycle=1800,
    )
    match parsed.get_driver_name():
        case "pymysql":
            _share_tls_context(engine)
        case "psycopg":
            _use_strict_connections(engine, statement_timeout)
    return engine


def is_retryable(error: BaseException) -> bool:
    """Return whether an error is a conflict of two transactions; a new transaction may succeed."""
    return _has_code(error, _RETRYABLE_CODES)


def aborts_transaction(error: BaseException) -> bool:
    """Return whether the database has rolled back the transaction that raised the error."""
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return True
    return _has_code(error, _RETRYABLE_CODES | _TIMEOUT_CODES)


def _has_code(error: BaseException | None, codes: set[int | str]) -> bool:
    while error is not None:
        cause = getattr(error, "orig", None)
        code = cause.args[0] if cause is not None and cause.args else None
        if getattr(cause, "sqlstate", None) in codes or (type(code) is int and code in codes):
            return True
        error = error.__context__  # a failed rollback hides the original error
    return False


def _mysql_arguments(statement_timeout: int | None) -> dict[str, Any]:
    # Without strict mode the server cuts values that are too long and reports success.
    first = "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')"
    return {
        "charset": "utf8mb4",
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": statement_timeout,
        "write_timeout": statement_timeout,
        "init_command": f"{first}, innodb_lock_wait_timeout = {LOCK_TIMEOUT}",
    }


def _share_tls_context(engine: sa.Engine) -> None:
    """Make all connections of an engine use one TLS context.

    PyMySQL reads the system's certificates for each connection. This takes 20 ms, in which no other
    thread runs, not even that of the event loop. During an outage connections are retried often.
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


def _use_strict_connections(engine: sa.Engine, timeout: int | None) -> None:
    """Give up what PostgreSQL does not answer in time, and what it stored on one machine only.

    Args:
        engine: the engine.
        timeout: seconds for the answer to a statement or a commit; None waits without a limit.
    """
    import psycopg

    class StrictConnection(psycopg.Connection[Any]):
        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = timeout) -> Any:
            """Wait for an answer; after `timeout` seconds cancel, and then close the connection.

            The server's own limit, `statement_timeout`, does not hold for a commit that waits for a
            standby, nor for a server that is frozen.
            """
            try:
                return super().wait(gen, interval, timeout)
            except psycopg.OperationalError:
                if self.pgconn.transaction_status != psycopg.pq.TransactionStatus.ACTIVE:
                    raise  # an answer of the server
            try:
                self.cancel_safe(timeout=CANCEL_TIMEOUT)
                return super().wait(gen, interval, CANCEL_TIMEOUT)
            finally:
                if self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                    self.close()

        def commit(self) -> None:
            """Commit; fail if the server reports a success with a warning.

            Without its synchronous standby, PostgreSQL waits at a commit. If the wait is cancelled,
            the commit is stored on the primary alone, and the server adds a warning. Without an
            error the chat would acknowledge a message that is lost with that machine.
            """
            warnings: list[str | None] = []

            def note(notice: psycopg.errors.Diagnostic) -> None:
                if notice.sqlstate == "01000":
                    warnings.append(notice.message_primary)

            self.add_notice_handler(note)
            try:
                super().commit()
            finally:
                self.remove_notice_handler(note)
            if warnings:
                raise psycopg.OperationalError(f"the commit may not be replicated: {warnings[0]}")

    @sa.event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        return StrictConnection.connect(*arguments, **options)


def _postgresql_arguments(statement_timeout: int | None) -> dict[str, Any]:
    settings: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT}
    if statement_timeout is not None:
        limits = {"statement_timeout": statement_timeout, "lock_timeout": LOCK_TIMEOUT}
        settings["options"] = " ".join(f"-c {name}={s * 1000}" for name, s in limits.items())
        # The kernel closes the connection to a host that has disappeared.
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


_BEGIN_READ = CompiledStatement(sa.text("BEGIN"))
_BEGIN_WRITE = CompiledStatement(sa.text("BEGIN IMMEDIATE"))


class FileGoneError(sqlite3.OperationalError):
    """The open SQLite file is no longer at its path."""


def unhealthy_reason(error: BaseException) -> str:
    """Return the reason why a database cannot be used, for operators, without private data."""
    if isinstance(error, sa.exc.DBAPIError) and isinstance(error.orig, FileGoneError):
        return str(error.orig)
    return "the database does not answer"


Identity = tuple[int, int] | None
"""Device and inode of a file; None for a missing file."""


def _identity(path: str) -> Identity:
    try:
        status = os.stat(path)  # noqa: PTH116 - Path.stat takes twice as long
    except OSError:
        return None
    return status.st_dev, status.st_ino


class _OpenFile:
    """The open SQLite database of an engine, for comparison with the files at its path.

    SQLite in WAL mode continues to write to a file that was deleted, renamed or replaced; only
    without a WAL it detects this (SQLITE_READONLY_DBMOVED). Such commits are lost at a restart. The
    -wal file holds the latest commits and the -shm file the locks, so both are compared too.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._journals = [self._path + suffix for suffix in ("-wal", "-shm")]
        self._opened: dict[str, Identity] = {}
        self._connections = 0
        self._loss_logged = False
        self._lock = threading.Lock()

    def note_opened(self) -> None:
        """Record a new connection; the first one opens the journals too.

        Raises:
            FileGoneError: the connection has opened another file.
        """
        with self._lock:
            if not self._connections:  # SQLite deletes the journals with the last connection
                self._opened.update({path: _identity(path) for path in self._journals})
            self._opened.setdefault(self._path, _identity(self._path))
            self._require_paths(self._opened)
            self._connections += 1

    def note_closed(self) -> None:
        """Record the end of a connection."""
        with self._lock:
            self._connections -= 1

    def require_database_in_place(self) -> None:
        """Check the database before a new connection: SQLite creates a missing file.

        Raises:
            FileGoneError: the database is not at its path.
        """
        if self._path in self._opened:
            with self._lock:
                self._require_paths([self._path])

    def require_in_place(self) -> None:
        """Check that the database and its journals are at their paths; takes about 3 microseconds.

        Raises:
            FileGoneError: one of the files is not at its path.
        """
        with self._lock:
            self._require_paths(self._opened)
            if self._loss_logged:
                self._loss_logged = False
                log.warning("%s: the database is back at its path", self._path)

    def _require_paths(self, paths: Iterable[str]) -> None:
        for path in paths:
            if (found := _identity(path)) != self._opened[path]:
                reason = FILE_REPLACED if found else FILE_MISSING
                if not self._loss_logged:
                    self._loss_logged = True
                    log.error("%s: %s", path, reason)
                raise FileGoneError(reason)


class _Connection(sqlite3.Connection):
    """An SQLite connection whose commit fails if its files are no longer at their paths."""

    file: _OpenFile | None = None

    def commit(self) -> None:
        super().commit()
        self.require_in_place()

    def require_in_place(self) -> None:
        """Check that the files of this connection are at their paths.

        Raises:
            FileGoneError: one of them is not.
        """
        if self.file is None:
            return
        try:
            self.file.require_in_place()
        except FileGoneError:
            self._empty_wal()
            raise

    def close(self) -> None:
        """Close the connection; with the last one SQLite deletes the journals."""
        with contextlib.suppress(sqlite3.Error):
            self.require_in_place()  # empties the WAL if the file was moved, see `_empty_wal`
        super().close()
        if self.file is not None:
            self.file.note_closed()
            self.file = None

    def _empty_wal(self) -> None:
        """Move the content of the WAL to the database file that it belongs to.

        After a restart SQLite would apply the rest of the WAL to the file that is then at the path,
        and damage a backup that was put there. Active readers can prevent the move; then the next
        call does it.
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
        # The driver starts a transaction before a write, but not before a SELECT, so a value could
        # change between its read and the write. Autocommit mode switches this off, and `begin`
        # below starts the transactions.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # a commit survives a power failure
        cursor.execute(f"PRAGMA busy_timeout = {lock_timeout * 1000}")
        cursor.execute("PRAGMA cache_size = -16384")  # KiB: the pages of a batch stay in memory
        cursor.execute("PRAGMA wal_autocheckpoint = 4000")  # pages: a checkpoint every 16 MiB
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
        options = connection.get_execution_options()
        if options.get("begins_itself"):  # a `WriteConnection`
            return
        if options.get("writes"):
            begin_write(connection)
        else:
            _BEGIN_READ.run(connection)

    engine.connect().close()  # records the identity of the file at the path
    return engine


def begin_write(connection: sa.Connection) -> None:
    """Begin a transaction that writes; MariaDB and PostgreSQL begin it with its first statement.

    Raises:
        OperationalError: SQLite's file is gone, or locked by another process.
    """
    if connection.dialect.name != "sqlite":
        return
    try:
        cast(_Connection, connection.connection.dbapi_connection).require_in_place()
    except FileGoneError as error:
        raise sa.exc.OperationalError("BEGIN", None, error) from error
    _BEGIN_WRITE.run(connection)
