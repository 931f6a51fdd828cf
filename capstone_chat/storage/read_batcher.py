"""Batch short reads: an indexed read costs less than the way to a thread and back.

A single read starts in the same turn of the event loop. When thousands of clients reconnect at
once, many reads share a thread and a transaction.
"""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from capstone_chat.storage import engines

T = TypeVar("T")

MAX_CONCURRENT_BATCHES = 2
"""Maximum number of batches that run at once; further reads wait for the next one."""
MAX_BATCH_SIZE = 64
"""Maximum number of reads in a batch, so that the last one does not wait for too many others."""


@dataclass(slots=True)
class _PendingRead:
    query: Callable[[sa.Connection], Any]
    future: asyncio.Future[Any]


class ReadBatcher:
    """Collects reads and runs them in batches.

    Args:
        engine: connects to the database.
        threads: run the batches.
    """

    def __init__(self, engine: sa.Engine, threads: Executor) -> None:
        self._engine = engine
        self._threads = threads
        self._pending: list[_PendingRead] = []
        self._running_batches = 0

    async def load(self, query: Callable[[sa.Connection], T]) -> T:
        """Run `query(connection)`, in one reading transaction with the other reads of its batch.

        `query` may run twice (when another read of its batch fails). An exception of `query` is
        raised here alone; one of `engines.DATABASE_ERRORS` is raised for the whole batch.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._pending.append(_PendingRead(query, future))
        if len(self._pending) == 1 and self._running_batches < MAX_CONCURRENT_BATCHES:
            loop.call_soon(self._dispatch)  # not at once: further reads of this turn join it
        return await future

    def _dispatch(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending and self._running_batches < MAX_CONCURRENT_BATCHES:
            batch, self._pending = self._pending[:MAX_BATCH_SIZE], self._pending[MAX_BATCH_SIZE:]
            queries = [read.query for read in batch]
            try:
                run = loop.run_in_executor(self._threads, self._run_batch, queries)
            except RuntimeError as error:  # the database has been closed
                _resolve(batch, [error] * len(batch))
            else:
                self._running_batches += 1
                run.add_done_callback(functools.partial(self._on_batch_done, batch))

    def _on_batch_done(self, batch: list[_PendingRead], run: asyncio.Future[list[Any]]) -> None:
        self._running_batches -= 1
        self._dispatch()
        _resolve(batch, run.result())

    def _run_batch(self, queries: list[Callable[[sa.Connection], Any]]) -> list[Any]:
        """Return a result or an exception for each query."""
        try:
            with self._engine.begin() as connection:
                return [query(connection) for query in queries]
        except engines.DATABASE_ERRORS as error:  # the other queries would fail as well
            return [error] * len(queries)
        except Exception as error:
            if len(queries) == 1:
                return [error]
        return [result for query in queries for result in self._run_batch([query])]


def _resolve(batch: list[_PendingRead], results: list[Any]) -> None:
    for read, result in zip(batch, results, strict=True):
        if read.future.done():  # the caller was cancelled
            continue
        if isinstance(result, Exception):
            read.future.set_exception(result)
        else:
            read.future.set_result(result)
