"""SQL expressions that several modules share."""

import itertools
from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa

Condition = sa.ColumnElement[bool]

MAX_PAIRS = 256
"""Maximum number of pairs in `matches_any_pair`, because SQLite limits the depth of a condition."""


def matches_any_pair(
    first: sa.ColumnElement[Any], second: sa.ColumnElement[Any], count: int
) -> Condition:
    """Return the condition that two columns have the values of one of `count` pairs.

    `pair_batches` has the parameters. Each pair is found by an index; for a row-value IN, SQLite
    reads the whole table.
    """
    return sa.or_(
        *(
            (first == sa.bindparam(f"first{n}")) & (second == sa.bindparam(f"second{n}"))
            for n in range(count)
        )
    )


def pair_batches(wanted: Collection[tuple[Any, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the count and the parameters of statements with `matches_any_pair`, for all pairs.

    Each count is a power of two, filled up with copies of the last pair. There are therefore only a
    few different statements, and SQLAlchemy compiles each of them once.
    """
    remaining = iter(wanted)
    while batch := list(itertools.islice(remaining, MAX_PAIRS)):
        count = 1 << (len(batch) - 1).bit_length()
        batch += batch[-1:] * (count - len(batch))
        values: dict[str, Any] = {}
        for n, (first, second) in enumerate(batch):
            values[f"first{n}"], values[f"second{n}"] = first, second
        yield count, values


def matches_any(column: sa.ColumnElement[Any], count: int) -> Condition:
    """Return the condition that a column has one of `count` values; see `batches`."""
    return column.in_([sa.bindparam(f"value{n}") for n in range(count)])


def batches(wanted: Collection[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the count and the parameters of statements with `matches_any`; see `pair_batches`."""
    for count, values in pair_batches([(value, None) for value in wanted]):
        yield count, {f"value{n}": values[f"first{n}"] for n in range(count)}


def insert_returning_id(connection: sa.Connection, row: sa.Insert) -> int:
    """Insert a row and return the id that the database has assigned."""
    key = connection.execute(row).inserted_primary_key
    assert key is not None
    return int(key[0])
