"""Repeatable steps of a migration: after a process was killed, the migration runs again.

MariaDB and MySQL commit with each statement that changes a table (MySQL manual, "Statements That
Cause an Implicit Commit"). A migration that is killed there leaves some of its steps without its
version, and Alembic runs the whole migration again. Each step therefore checks first and adds only
the missing part. A single statement creates a table or a column with all its constraints. An index
needs a separate statement, so each index is checked separately.

A step that changes data, such as an UPDATE, runs again too, so it must be idempotent. The same
holds for any other statement, such as an ALTER TABLE that changes the type of a column.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.operations.ops import CreateTableOp
from alembic.util import CommandError


def create_table(name: str, *columns: sa.Column[Any] | sa.Constraint, **options: Any) -> None:
    """Create a table with its indexes; if the table exists, create the missing indexes.

    Args:
        name: the table.
        columns: columns and constraints, as for `op.create_table`.
        options: options of dialects, as for `op.create_table`.

    Raises:
        CommandError: the table exists with other columns or constraints.
    """
    if not sa.inspect(op.get_bind()).has_table(name):
        op.create_table(name, *columns, **options)
        return
    wanted = CreateTableOp(name, columns, **options).to_table()
    _require_same(wanted, sa.Table(name, sa.MetaData(), autoload_with=op.get_bind()))
    for index in wanted.indexes:
        create_index(str(index.name), name, [c.name for c in index.columns], unique=index.unique)


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column to a table unless it exists; an index of the column needs a separate step."""
    assert not (column.foreign_keys or column.unique or column.index), "each needs its own step"
    if column.name not in {c["name"] for c in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def create_index(name: str, table: str, columns: Sequence[str], *, unique: bool = False) -> None:
    """Create an index unless it exists."""
    if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns, unique=unique)


def _require_same(wanted: sa.Table, found: sa.Table) -> None:
    """Check that an existing table has the wanted columns and constraints.

    Types are not compared, because databases have different names for them.
    """
    same = _shape(found) == _shape(wanted)
    if not same or not _unique(wanted.constraints) <= _unique(found.constraints | found.indexes):
        raise CommandError(f"the table {wanted.name} is not the one of the chat")


def _shape(table: sa.Table) -> tuple[object, ...]:
    columns = {(column.name, column.nullable) for column in table.columns}
    keys = {(key.parent.name, key.target_fullname) for key in table.foreign_keys}
    return columns, [column.name for column in table.primary_key], keys


def _unique(constraints: set[Any]) -> set[tuple[str, ...]]:
    """Return the columns of each unique constraint, which some databases call a unique index."""
    return {
        tuple(column.name for column in each.columns)
        for each in constraints
        if isinstance(each, sa.UniqueConstraint) or getattr(each, "unique", False)
    }
