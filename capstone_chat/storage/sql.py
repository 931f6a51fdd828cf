"""Parts of statements that several modules need."""

import itertools
from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa

Condition = sa.ColumnElement[bool]

PAIRS = 256
"""Pairs that a statement with `either` may look up: SQLite bounds how deep a condition is."""


def either(first: sa.ColumnElement[Any], second: sa.ColumnElement[Any], count: int) -> Condition:
    """Return the condition that two columns hold one of `count` pairs, which `pairs` gives.

    Each pair is looked up in an index; for a row-value IN, SQLite would read the whole table.
    """
    return sa.or_(
        *(
            (first == sa.bindparam(f"first{n}")) & (second == sa.bindparam(f"second{n}"))
            for n in range(count)
        )
    )


def pairs(wanted: Collection[tuple[Any, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield a count and the values for statements with `either`, which together look up all pairs.

    The count is a power of two, and the last pair fills what is left: so the statement is one of a
    few, which are built once.
    """
    waiting = iter(wanted)
    while some := list(itertools.islice(waiting, PAIRS)):
        count = 1 << (len(some) - 1).bit_length()
        some += some[-1:] * (count - len(some))
        values: dict[str, Any] = {}
        for n, (first, second) in enumerate(some):
            values[f"first{n}"], values[f"second{n}"] = first, second
        yield count, values


def insert_row(connection: sa.Connection, row: sa.Insert) -> int:
    """Insert a row and return the id that the database gave it."""
    key = connection.execute(row).inserted_primary_key
    assert key is not None
    return int(key[0])
