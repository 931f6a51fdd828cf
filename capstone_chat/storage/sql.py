"""Parts of SQL statements that several modules need."""

import itertools
from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa

Condition = sa.ColumnElement[bool]

MAX_PAIRS = 256
"""Maximum number of pairs in `matches_any_pair`: SQLite limits the depth of a condition."""


def matches_any_pair(
    first: sa.ColumnElement[Any], second: sa.ColumnElement[Any], count: int
) -> Condition:
    """Return the condition that two columns hold one of `count` pairs, see `pair_batches`.

    Each pair is looked up in an index; for a row-value IN, SQLite would read the whole table.
    """
    return sa.or_(
        *(
            (first == sa.bindparam(f"first{n}")) & (second == sa.bindparam(f"second{n}"))
            for n in range(count)
        )
    )


def pair_batches(wanted: Collection[tuple[Any, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield counts and values for statements with `matches_any_pair` that find all pairs together.

    The count is a power of two, and the last pair fills the rest, so the statement is one of a few,
    which SQLAlchemy builds once.
    """
    remaining = iter(wanted)
    while batch := list(itertools.islice(remaining, MAX_PAIRS)):
        count = 1 << (len(batch) - 1).bit_length()
        batch += batch[-1:] * (count - len(batch))
        values: dict[str, Any] = {}
        for n, (first, second) in enumerate(batch):
            values[f"first{n}"], values[f"second{n}"] = first, second
        yield count, values


def insert_returning_id(connection: sa.Connection, row: sa.Insert) -> int:
    """Insert a row and return the id that the database gave it."""
    key = connection.execute(row).inserted_primary_key
    assert key is not None
    return int(key[0])
