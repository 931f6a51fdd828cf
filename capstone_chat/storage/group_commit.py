"""Commit the writes of a batch in one transaction; roll back only those that fail.

A commit costs one disk flush, whatever its size. MySQL calls this technique group commit.
"""

import itertools
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from capstone_chat.storage import engines
from capstone_chat.storage.write_connection import WriteConnection

log = logging.getLogger(__name__)

MAX_RETRIES = 5
"""Maximum number of times that a commit which conflicts with other processes is retried."""

RETRY_DELAY = 0.004
"""Seconds that the first wait before a retry may last; each wait may be twice as long as the one
before, so all of them together last 124 ms at most. A random part keeps two processes from meeting
again. On a Galera cluster a conflict is certain until this node has applied the other commit."""

BatchFunction = Callable[[sa.Connection, list[Any]], Sequence[Any]]
"""A function that writes items and returns a result or an exception for each of them."""


@dataclass(slots=True)
class PendingWrite:
    """An item in the queue for the next batch."""

    batch_function: BatchFunction
    item: Any
    on_result: Callable[[Any], None]
    """Called on the event loop after the commit, with the result or the exception."""


def commit(
    connection: WriteConnection, writes: list[PendingWrite], on_conflict: Callable[[], None]
) -> list[Any]:
    """Commit writes in one transaction; return a result or an exception for each of them.

    Consecutive writes with the same function are passed to it in one call. A conflict with another
    process (a deadlock, or a failed certification of a Galera cluster) rolls all of it back, and is
    retried.

    Args:
        connection: the connection of the writer.
        writes: the writes in their order.
        on_conflict: called at each conflict.
    """
    run, retries = _run_optimistically, 0
    while True:
        try:
            return _run_transaction(connection, writes, run)
        except Exception as error:  # none of the writes is stored
            cause = error.__cause__ if isinstance(error, _BatchFailed) else error
            if engines.is_retryable(error):
                on_conflict()
                if retries == MAX_RETRIES:
                    log.warning("a commit was given up: it has conflicted %d times", retries + 1)
                    return [cause] * len(writes)
                time.sleep(random.uniform(0, RETRY_DELAY * 2**retries))  # noqa: S311
                retries += 1
            elif cause is error:  # the commit itself failed
                return [error] * len(writes)
            else:
                run = _run_with_savepoint  # which never raises `_BatchFailed`


def _run_transaction(
    write_connection: WriteConnection,
    writes: list[PendingWrite],
    run: Callable[..., Sequence[Any]],
) -> list[Any]:
    results: list[Any] = []
    with write_connection as connection:
        for function, group in itertools.groupby(writes, key=lambda write: write.batch_function):
            results += run(connection, function, [write.item for write in group])
    return results


class _BatchFailed(Exception):
    """An unknown item of the batch has failed."""


def _run_optimistically(
    connection: sa.Connection, function: BatchFunction, items: list[Any]
) -> Sequence[Any]:
    """Write all items of a batch without a savepoint, which saves two statements.

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
    """Write all items; after a failure write each half of them, recursively.

    A failed item therefore does not roll back the others and is found with few statements.

    After an IntegrityError a single item is retried once: another process may have inserted the
    same row at the same time, and the second run of the function sees that row.

    Raises:
        SQLAlchemyError: the database has rolled back the whole transaction (a full disk, a
            deadlock), including the items that succeeded before.
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
