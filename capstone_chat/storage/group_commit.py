"""Commit the writes of a batch in one transaction, and undo only those that fail.

A commit costs a disk flush however much it holds (MySQL calls this a group commit).
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from capstone_chat.storage import engines

MAX_ATTEMPTS = 5
"""Number of times that a commit is tried while other processes are in its way."""

BatchFunction = Callable[[sa.Connection, list[Any]], Sequence[Any]]
"""Writes items in one transaction, and returns a result or an exception for each of them."""


@dataclass(slots=True)
class PendingWrite:
    """An item that waits for the commit of its batch."""

    batch_function: BatchFunction
    item: Any
    on_result: Callable[[Any], None]
    """Called on the event loop after the commit, with the result or the exception."""


def commit(engine: sa.Engine, writes: list[PendingWrite]) -> list[Any]:
    """Commit writes; return a result or an exception for each of them.

    Consecutive writes with the same function are one call of it.
    """
    run = _run_optimistically
    for attempt in range(MAX_ATTEMPTS):
        try:
            return _run_transaction(engine, writes, run)
        except _BatchFailed:
            run = _run_with_savepoint
        except Exception as error:  # the commit itself failed, so nothing is stored
            if attempt + 1 == MAX_ATTEMPTS or not engines.is_retryable(error):
                return [error] * len(writes)
    raise AssertionError("the last attempt returns")


def _run_transaction(
    engine: sa.Engine, writes: list[PendingWrite], run: Callable[..., Sequence[Any]]
) -> list[Any]:
    results: list[Any] = []
    with engine.execution_options(writes=True).begin() as connection:
        for function, group in itertools.groupby(writes, key=lambda write: write.batch_function):
            results += run(connection, function, [write.item for write in group])
    return results


class _BatchFailed(Exception):
    """An item of the batch has failed, and it is not known which one."""


def _run_optimistically(
    connection: sa.Connection, function: BatchFunction, items: list[Any]
) -> Sequence[Any]:
    """Write all items without a savepoint, which saves two statements.

    Raises:
        _BatchFailed: an item failed; roll back, and use `_run_with_savepoint`.
    """
    try:
        return function(connection, items)
    except Exception as error:
        raise _BatchFailed from error


def _run_with_savepoint(
    connection: sa.Connection,
    function: BatchFunction,
    items: list[Any],
    *,
    retry: bool = True,
) -> Sequence[Any]:
    """Write all items, or if that fails each half of them, and so on: one that fails does not undo
    the others, and is found with few statements.

    An IntegrityError of a single item is tried again once: another process may have inserted the
    same row at the same time, and the second run of the function sees that row.

    Raises:
        SQLAlchemyError: the database has rolled back the whole transaction (a full disk, a
            deadlock), so what succeeded before is undone as well.
    """
    savepoint = connection.begin_nested()
    try:
        results = function(connection, items)
        savepoint.commit()
        return results
    except Exception as error:
        if engines.aborts_transaction(error):
            raise
        savepoint.rollback()
        if len(items) == 1 and retry and isinstance(error, sa.exc.IntegrityError):
            return _run_with_savepoint(connection, function, items, retry=False)
        if len(items) == 1:
            return [error]
        half = len(items) // 2
        return [
            result
            for part in (items[:half], items[half:])
            for result in _run_with_savepoint(connection, function, part)
        ]
