"""Batching of short reads: an indexed read costs less than handing it to a thread.

A single read starts in the same iteration of the event loop. In a reconnect storm of thousands of
clients, many reads share a thread and a transaction.
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
"""Maximum number of concurrent batches; further reads wait for the next batch."""
MAX_BATCH_SIZE = 64
"""Maximum number of reads in a batch, which bounds the latency of the last one."""


@dataclass(slots=True)
class _PendingRead:
    query: Callable[[sa.Connection], Any]
    future: asyncio.Future[Any]


class ReadBatcher:
    """Collects reads and runs them in batches.

    Args:
        engine: the engine of the database.
        threads: the executor that runs the batches.
    """

    def __init__(self, engine: sa.Engine, threads: Executor) -> None:
        self._engine = engine
        self._threads = threads
        self._pending: list[_PendingRead] = []
        self._running_batches = 0

    def load(self, query: Callable[[sa.Connection], T]) -> asyncio.Future[T]:
        """Run `query(connection)` in a transaction that it shares with the reads of its batch.

        `query` runs again if another read of its batch fails. An exception of `query` is raised for
        this read only; one of `engines.DATABASE_ERRORS` is raised for all reads of the batch.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._pending.append(_PendingRead(query, future))
        if len(self._pending) == 1 and self._running_batches < MAX_CONCURRENT_BATCHES:
            loop.call_soon(self._dispatch)  # further reads of this iteration join the batch
        return future

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
        """Run queries in one transaction; return a result or an exception for each."""
        try:
            with self._engine.begin() as connection:
                return [query(connection) for query in queries]
        except engines.DATABASE_ERRORS as error:  # the other queries would fail too
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
