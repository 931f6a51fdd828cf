"""Migration of a database to the current tables, at the start of the chat."""

import sqlalchemy as sa

REVISION = "0007"
"""The newest revision in `migrations/`, which has the tables of `tables`."""

IDLE_CONNECTION_TIMEOUT = 60
"""Seconds without a statement after which the server ends a connection that migrates. Without this,
the lock of a process whose host has disappeared stays for hours."""


class MigrationError(Exception):
    """The database cannot be migrated; the message has the reason."""


def _acquire_migration_lock(connection: sa.Connection) -> None:
    """Acquire the lock for migrations, which is held until the connection is closed.

    In SQLite the lock is the transaction, which is started here because Alembic starts one for each
    revision. MariaDB ends a transaction at each new table, so the lock is one of the connection.
    """
    connection.detach()  # from the pool, so that closing it releases the lock and the settings
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
    """Migrate a database to the newest revision in `migrations/`; its rows are kept.

    If several processes start at once, one of them migrates and the others wait. A migration that
    was killed is run again, see `migrations.steps`.

    Raises:
        MigrationError: the database is of a newer version, or holds tables of something else.
    """
    with engine.connect().execution_options(writes=True) as connection:
        _acquire_migration_lock(connection)
        if _applied_revisions(connection) != [REVISION]:
            upgrade(connection, REVISION)
            connection.commit()


def _applied_revisions(connection: sa.Connection) -> list[str]:
    """Return the revisions that Alembic has recorded; an empty list for a new database."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return []
    return list(connection.scalars(sa.text("SELECT version_num FROM alembic_version")))


def upgrade(connection: sa.Connection, revision: str) -> None:
    """Run the migrations up to a revision, in the transaction of a connection.

    Raises:
        MigrationError: the database is of a newer version, or holds tables of something else.
    """
    # Imported here: most starts need no migration, and the import takes a fifth of their time.
    import alembic.command
    import alembic.config
    import alembic.util

    config = alembic.config.Config()
    # A package name, because Alembic's configuration expands a % in a path.
    config.set_main_option("script_location", "capstone_chat.storage:migrations")
    config.attributes["connection"] = connection
    try:
        alembic.command.upgrade(config, revision)
    except alembic.util.CommandError as error:
        raise MigrationError(str(error)) from error
