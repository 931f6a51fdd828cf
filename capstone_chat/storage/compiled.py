"""Statements that are compiled once and run on the driver's cursor, for the few frequent ones.

An execution by SQLAlchemy takes about 18 us of CPU time, one on the cursor of the SQLite driver
2 us (benchmarks/NOTES.md). A message that is alone in its commit takes 40 % less CPU time of the
writer with this module (docs/decisions/no_orm.md). Other statements use `Connection.execute`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

Values = Mapping[str, Any]


class _Form(NamedTuple):
    """A statement in the SQL of one dialect."""

    sql: str
    constants: dict[str, Any]

    def parameters(self, values: Values) -> Values:
        """Return the values with those of the statement itself."""
        return self.constants | values if self.constants else values  # type: ignore[operator]


class CompiledStatement:
    """A statement without types that convert values, such as JSON or Boolean.

    Args:
        statement: the statement; parameters are given by `bindparam`, or by columns of an INSERT.
    """

    def __init__(self, statement: sa.sql.ClauseElement) -> None:
        self._statement = statement
        self._forms: dict[str, _Form] = {}

    def fetch_all(self, connection: sa.Connection, values: Values) -> list[tuple[Any, ...]]:
        """Run the statement in the connection's transaction; return the rows.

        Raises:
            DBAPIError: as `Connection.execute` raises it.
        """
        form = self._form(connection.dialect)
        return list(_execute(connection, form.sql, form.parameters(values), fetch=True))

    def run_many(self, connection: sa.Connection, values: Sequence[Values]) -> None:
        """Run the statement once for each mapping of values, in the connection's transaction.

        Raises:
            DBAPIError: as `Connection.execute` raises it.
        """
        form = self._form(connection.dialect)
        _execute(connection, form.sql, [form.parameters(one) for one in values], many=True)

    def run(self, connection: sa.Connection) -> None:
        """Run a statement without parameters and rows.

        Raises:
            DBAPIError: as `Connection.execute` raises it.
        """
        _execute(connection, self._form(connection.dialect).sql, {})

    def _form(self, dialect: sa.Dialect) -> _Form:
        form = self._forms.get(dialect.name)
        if form is None:
            # With names a mapping needs no conversion; the module sqlite3 takes them as well.
            kind: Any = type(dialect)
            named = kind(paramstyle="named") if dialect.positional else dialect
            compiled = self._statement.compile(dialect=named)
            constants = {
                name: value for name, value in compiled.params.items() if value is not None
            }
            form = _Form(str(compiled), constants)
            self._forms[dialect.name] = form
        return form


def _execute(
    connection: sa.Connection,
    sql: str,
    parameters: Any,
    *,
    fetch: bool = False,
    many: bool = False,
) -> Sequence[tuple[Any, ...]]:
    """Run a statement on a cursor of the driver; return its rows.

    SQLAlchemy's event `before_cursor_execute` is not called: without listeners it costs 60 calls
    for a message, a third of all calls of the writer.
    """
    cursor = connection.connection.cursor()
    try:
        (cursor.executemany if many else cursor.execute)(sql, parameters)
        return cursor.fetchall() if fetch else ()
    except connection.dialect.loaded_dbapi.Error as error:
        raise sqlalchemy_error(error, connection, sql) from error
    finally:
        cursor.close()


def sqlalchemy_error(error: Any, connection: sa.Connection, sql: str) -> BaseException:
    """Return the exception that SQLAlchemy raises for an exception of the driver.

    If the connection is lost, it is invalidated, so that the pool does not use it again.
    """
    dialect = connection.dialect
    is_lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
    if is_lost:
        connection.invalidate(error)
    wrapped: BaseException = sa.exc.DBAPIError.instance(
        sql,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=dialect,
    )
    return wrapped
