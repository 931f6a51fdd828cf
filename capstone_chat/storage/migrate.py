"""Bring a database up to date when the chat starts."""

import sqlalchemy as sa

REVISION = "0005"
"""The newest revision in `migrations/`: the one that has these tables."""

IDLE_CONNECTION_TIMEOUT = 60
"""Seconds without a statement after which a server ends a connection that migrates: the host of
that process may have vanished, and its lock would stay for hours."""


class MigrationError(Exception):
    """The database cannot be brought up to date; the text says why."""


def _acquire_migration_lock(connection: sa.Connection) -> None:
    """Acquire the lock for migrations, and hold it until the connection is closed.

    In SQLite the transaction does that, begun here: else Alembic would make one of each revision.
    MariaDB ends it with each new table: there it takes a lock of the connection.
    """
    connection.detach()  # from the pool: closing it gives back the lock, and its settings
    match connection.dialect.name:
        case "sqlite":
            connection.begin()
        case "postgresql":
            limit = f"SET idle_in_transaction_session_timeout = '{IDLE_CONNECTION_TIMEOUT}s'"
            connection.execute(sa.text(limit))
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(4242)"))
        case "mysql" | "mariadb":
            connection.execute(sa.text(f"SET SESSION wait_timeout = {IDLE_CONNECTION_TIMEOUT}"))
            lock = "SELECT GET_LOCK(CONCAT('chat:', LEFT(DATABASE(), 50)), 86400)"
            if connection.scalar(sa.text(lock)) != 1:
                raise MigrationError("another process keeps it locked")


def migrate(engine: sa.Engine) -> None:
    """Bring the database to the newest revision in `migrations/`, keeping what it holds.

    Of several processes that start at once one does it, and the others wait for it. A migration
    that was killed is run again, see `migrations.steps`.

    Raises:
        MigrationError: the database is of a newer version, or holds tables of something else.
    """
    with engine.connect().execution_options(writes=True) as connection:
        _acquire_migration_lock(connection)
        if _applied_revisions(connection) != [REVISION]:
            upgrade(connection, REVISION)
            connection.commit()


def _applied_revisions(connection: sa.Connection) -> list[str]:
    """Return what Alembic has noted; nothing in a database that it has not seen."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return []
    return list(connection.scalars(sa.text("SELECT version_num FROM alembic_version")))


def upgrade(connection: sa.Connection, revision: str) -> None:
    """Run the migrations up to a revision, in the transaction of a connection.

    Raises:
        MigrationError: the database is of a newer version, or holds tables of something else.
    """
    # Here, because most starts find nothing to do, and Alembic takes a fifth of their time.
    import alembic.command
    import alembic.config
    import alembic.util

    config = alembic.config.Config()
    # The name of the package: in a path, Alembic's configuration would expand a %.
    config.set_main_option("script_location", "capstone_chat.storage:migrations")
    config.attributes["connection"] = connection
    try:
        alembic.command.upgrade(config, revision)
    except alembic.util.CommandError as error:
        raise MigrationError(str(error)) from error
