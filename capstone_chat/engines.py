"""Connections to SQLite, MariaDB or MySQL, and PostgreSQL, set up so that they behave alike.

Nothing here waits for ever: a server that is gone, or a row that somebody else keeps locked, is an
error after some seconds, and the next connection is a new one.
"""

import ssl
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection

CONNECT_WITHIN = 5
"""Seconds in which a server must take a connection."""

LOCKED_AT_MOST = 5
"""Seconds to wait for a row that another process has locked."""

PATIENCE = 15
"""Seconds in which a server must answer a statement."""

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


def connect(url: str, *, connections: int = 5, patience: int | None = PATIENCE) -> sa.Engine:
    """Return an engine for a database; it connects when it is used.

    Args:
        connections: how many are kept open; as many again are opened for a moment when needed.
        patience: seconds in which a statement must be answered; None waits.
    """
    parsed = sa.make_url(url)
    # What is stored (messages, hashes) must not get into the log by way of an error's text.
    common: dict[str, Any] = {"hide_parameters": True}
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(parsed, common)
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


def lost_a_race(error: BaseException) -> bool:
    """Tell whether two processes stood in each other's way: the same work, begun anew, will do."""
    return _is_one_of(error, _LOST_A_RACE)


def ends_transaction(error: BaseException) -> bool:
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


def _sqlite(url: sa.URL, common: dict[str, Any]) -> sa.Engine:
    engine = sa.create_engine(url, **common)

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, _record: object) -> None:
        # The driver would begin transactions by itself, but not before a SELECT: what is read could
        # be stale when it is written. So it is told not to, and `begin` below does it.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # a commit outlives a power cut
        cursor.execute("PRAGMA busy_timeout = 5000")
        cursor.execute("PRAGMA cache_size = -16384")  # KiB: the pages of a batch stay in memory
        cursor.execute("PRAGMA wal_autocheckpoint = 4000")  # pages: 16 MiB before they are moved
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
