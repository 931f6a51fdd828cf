"""Steps of a migration that can be repeated, from whatever point at which a process was killed.

MariaDB and MySQL commit with each statement that changes a table (MySQL manual, "Statements That
Cause an Implicit Commit"). A migration that is killed there leaves some of its steps behind without
its version, and Alembic runs all of it again. So each step looks first and adds only the missing
part. A table, and a column, is made by one statement: it is there with all its constraints or not
at all. An index is a statement of its own, so each one is looked for by itself.

A data step (an UPDATE, say) runs again as well: it must give the same result the second time. So
must any other statement, as an ALTER TABLE that changes the type of a column does.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.operations.ops import CreateTableOp
from alembic.util import CommandError


def create_table(name: str, *columns: sa.Column[Any] | sa.Constraint, **options: Any) -> None:
    """Create a table with its indexes; if it is there, create those indexes that are missing.

    Args:
        columns: its columns and constraints, as for `op.create_table`.
        options: of the dialects, as for `op.create_table`.

    Raises:
        CommandError: there is a table of this name with other columns or constraints.
    """
    if not sa.inspect(op.get_bind()).has_table(name):
        op.create_table(name, *columns, **options)
        return
    wanted = CreateTableOp(name, columns, **options).to_table()
    _require_same(wanted, sa.Table(name, sa.MetaData(), autoload_with=op.get_bind()))
    for index in wanted.indexes:
        create_index(str(index.name), name, [c.name for c in index.columns], unique=index.unique)


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column to a table unless it is there. An index of it is a step of its own."""
    assert not (column.foreign_keys or column.unique or column.index), "each needs its own step"
    if column.name not in {c["name"] for c in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def create_index(name: str, table: str, columns: Sequence[str], *, unique: bool = False) -> None:
    """Create an index unless it is there."""
    if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns, unique=unique)


def _require_same(wanted: sa.Table, found: sa.Table) -> None:
    """Check that a table is the one that its CREATE TABLE makes. Types are not compared: each
    database has other names for them."""
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
