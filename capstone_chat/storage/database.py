"""The database: reads in a few threads, writes in one, many writes to a commit.

A commit costs a disk flush whatever it holds, so the writer takes everything that waits and commits
it once. A result is handed back only after its commit: what the chat acknowledges is on the disk.
"""

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from capstone_chat.storage import engines
from capstone_chat.storage.read_batcher import ReadBatcher

log = logging.getLogger(__name__)

T = TypeVar("T")
Condition = sa.ColumnElement[bool]

STARTS = 5
"""Times that a commit is begun when another process is in its way."""

BATCH = 1024
"""Writes in one commit at the most: more gains little and makes the first ones wait."""


def now() -> int:
    """The time in milliseconds since 1970, as it is stored and sent."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class _Job:
    work: Callable[[sa.Connection, list[Any]], Sequence[Any]]
    item: Any
    done: Callable[[Any], None]


class Database:
    """An engine, a pool of readers and one writer.

    Args:
        url: an SQLAlchemy URL.
        readers: threads for reads.
    """

    def __init__(self, url: str | sa.URL, *, readers: int = 4) -> None:
        self.engine = engines.connect(url, connections=readers + 1)
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._lookups = ReadBatcher(self.engine, self._readers)
        self._waiting: list[_Job] = []
        self._committing = False
        self.commits = 0
        self.writes = 0

    async def read(self, query: Callable[[sa.Connection], T]) -> T:
        """Run `query(connection)` in a reading transaction of its own, off the loop."""

        def run() -> T:
            with self.engine.begin() as connection:
                return query(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def read_batched(self, query: Callable[[sa.Connection], T]) -> T:
        """Run a `query(connection)` that an index answers at once; see `read_batcher`."""
        return await self._lookups.load(query)

    async def write(
        self,
        change: Callable[[sa.Connection], T],
        committed: Callable[[T], None] | None = None,
    ) -> T:
        """Run `change(connection)` in the next commit and return its result once that is done.

        `change` may run twice (when a neighbour in its commit fails), so it must do nothing but
        talk to the database. What it raises undoes its own changes only, and is raised here.

        Args:
            committed: called on the loop with the result, in the order of the commits.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def done(result: T | Exception) -> None:
            if committed is not None and not isinstance(result, Exception):
                committed(result)
            if future.done():  # whoever waited has gone; the change stays
                return
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

        self.enqueue(_call_each, change, done)
        return await future

    def enqueue(
        self,
        work: Callable[[sa.Connection, list[Any]], Sequence[Any]],
        item: Any,
        done: Callable[[Any], None],
    ) -> None:
        """Queue `item` for `work(connection, items)`, which serves all items of a commit at once.

        `work` returns a result or an exception for each item. After the commit `done(result)` is
        called on the loop, in the order in which the items were queued.
        """
        self._waiting.append(_Job(work, item, done))
        if not self._committing:
            self._committing = True
            # Not at once: what else this turn of the loop brings shares the commit.
            asyncio.get_running_loop().call_soon(self._hand_over)

    async def close(self) -> None:
        """Finish the writes that wait and the reads under way, then let go of all connections."""
        if self._committing:
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                await self.write(lambda _connection: None)
        # A connection that is in use is not closed with the others.
        await asyncio.to_thread(self._readers.shutdown)
        self._writer.shutdown(wait=False)
        self.engine.dispose()

    def _hand_over(self) -> None:
        """Give the writer what waits. It gets the next batch when it is done with this one: until
        then the loop gathers, and the two do not fight over the interpreter."""
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        commit = asyncio.get_running_loop().run_in_executor(self._writer, self._commit, batch)
        commit.add_done_callback(lambda commit: self._hand_back(batch, commit.result()))

    def _hand_back(self, jobs: list[_Job], results: list[Any]) -> None:
        self._committing = bool(self._waiting)
        if self._waiting:
            self._hand_over()
        for job, result in zip(jobs, results, strict=True):
            try:
                job.done(result)
            except Exception:  # a mistake in one answer must not keep back the others
                log.exception("an answer failed")

    def _commit(self, jobs: list[_Job]) -> list[Any]:
        self.commits += 1
        self.writes += len(jobs)
        attempt = _trust
        for start in range(STARTS):
            try:
                return self._transact(jobs, attempt)
            except _Doubt:
                attempt = _attempt
            except Exception as error:  # the commit itself failed, so none of it happened
                if start + 1 == STARTS or not engines.is_retryable(error):
                    return [error] * len(jobs)
        raise AssertionError("the last start returns")

    def _transact(self, jobs: list[_Job], attempt: Callable[..., Sequence[Any]]) -> list[Any]:
        results: list[Any] = []
        with self.engine.execution_options(writes=True).begin() as connection:
            for work, group in itertools.groupby(jobs, key=lambda job: job.work):
                results += attempt(connection, work, [job.item for job in group])
        return results


class _Doubt(Exception):
    """Something in a batch fails; what, only care can tell."""


def _trust(
    connection: sa.Connection,
    work: Callable[[sa.Connection, list[Any]], Sequence[Any]],
    items: list[Any],
) -> Sequence[Any]:
    """Do the work for all items as if it could not fail, which saves two statements.

    Raises:
        _Doubt: it fails; begin anew and `_attempt` it.
    """
    try:
        return work(connection, items)
    except Exception as error:
        raise _Doubt from error


def _attempt(
    connection: sa.Connection,
    work: Callable[[sa.Connection, list[Any]], Sequence[Any]],
    items: list[Any],
    *,
    again: bool = True,
) -> Sequence[Any]:
    """Do the work for all items at once; if that fails, for each half, and so on, so that one that
    fails cannot spoil the others and costs little.

    Where a row is there already, another process may have been faster: the work sees it when it
    is done `again`.

    Raises:
        SQLAlchemyError: the database has given up the whole transaction (a full disk, a deadlock),
            so what succeeded before is undone as well.
    """
    savepoint = connection.begin_nested()
    try:
        results = work(connection, items)
        savepoint.commit()
        return results
    except Exception as error:
        if engines.aborts_transaction(error):
            raise
        savepoint.rollback()
        if len(items) == 1 and again and isinstance(error, sa.exc.IntegrityError):
            return _attempt(connection, work, items, again=False)
        if len(items) == 1:
            return [error]
        half = len(items) // 2
        return [
            r for part in (items[:half], items[half:]) for r in _attempt(connection, work, part)
        ]


def _call_each(connection: sa.Connection, changes: list[Callable[[sa.Connection], T]]) -> list[T]:
    return [change(connection) for change in changes]
