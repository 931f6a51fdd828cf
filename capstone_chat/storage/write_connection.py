"""The connection of the writer, which stays open and runs one transaction after the other.

Begin, commit and rollback go to the driver. A connection from SQLAlchemy's pool, with a transaction
of SQLAlchemy, costs 60 us more for each commit, and on MariaDB two round trips more: one asks
whether the connection is alive, one resets it (benchmarks/NOTES.md).
"""

import contextlib
from types import TracebackType

import sqlalchemy as sa

from capstone_chat.storage import engines
from capstone_chat.storage.compiled import sqlalchemy_error


class WriteConnection:
    """A context manager: each `with` block is one transaction on the same connection.

    The connection is opened at the first transaction, and again after an error that leaves it
    unusable. A connection that the server has closed meanwhile fails at the first statement; the
    transaction can then be run again, because nothing of it is stored.

    Args:
        engine: the engine of the database.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine.execution_options(writes=True, begins_itself=True)
        self._connection: sa.Connection | None = None

    def __enter__(self) -> sa.Connection:
        """Begin a transaction.

        Raises:
            SQLAlchemyError: there is no connection, or SQLite's file is gone or locked.
        """
        if self._connection is None:
            self._connection = self._engine.connect()
            # For SQLAlchemy this transaction lasts as long as the connection.
            self._connection.begin()
        try:
            engines.begin_write(self._connection)
        except BaseException:
            self._roll_back()
            raise
        return self._connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Commit the transaction, or roll it back after an exception.

        Raises:
            SQLAlchemyError: the commit failed.
        """
        if kind is not None:
            self._roll_back()
            return
        try:
            self._commit()
        except BaseException:
            self._roll_back()
            raise

    def _commit(self) -> None:
        connection = self._connection
        assert connection is not None
        try:
            connection.dialect.do_commit(connection.connection)
        except connection.dialect.loaded_dbapi.Error as error:
            raise sqlalchemy_error(error, connection, "COMMIT") from error

    def _roll_back(self) -> None:
        """Roll back; close the connection if that fails."""
        connection = self._connection
        assert connection is not None
        try:
            # An invalidated connection would be opened again here, in an unknown state.
            if not connection.invalidated:
                connection.dialect.do_rollback(connection.connection)
                return
        except connection.dialect.loaded_dbapi.Error:
            connection.invalidate()
        self.close()

    def close(self) -> None:
        """Close the connection; the next transaction opens another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                connection.close()
