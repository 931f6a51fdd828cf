"""The database: reads in a few threads, writes in one, many writes to a commit.

The writer takes all writes that wait and commits them once, see `group_commit`. A result is
returned after its commit: what the chat acknowledges is on the disk.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa

from capstone_chat.storage import engines, group_commit
from capstone_chat.storage.group_commit import BatchFunction, PendingWrite
from capstone_chat.storage.read_batcher import ReadBatcher

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_BATCH = 1024
"""Maximum number of writes in one commit: more gains little and makes the first ones wait."""


def now_ms() -> int:
    """Return the time in milliseconds since 1970, as it is stored and sent."""
    return time.time_ns() // 1_000_000


class Database:
    """An engine, a pool of readers and one writer.

    Args:
        url: an SQLAlchemy URL.
        readers: threads for reads.
    """

    def __init__(self, url: str | sa.URL, *, readers: int = 4) -> None:
        self.engine = engines.create_engine(url, connections=readers + 1)
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._read_batcher = ReadBatcher(self.engine, self._readers)
        self._pending: list[PendingWrite] = []
        self._writer_busy = False
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
        return await self._read_batcher.load(query)

    async def write(
        self,
        change: Callable[[sa.Connection], T],
        after_commit: Callable[[T], None] | None = None,
    ) -> T:
        """Run `change(connection)` in the next commit and return its result after it.

        `change` may run twice (when another write of its commit fails), so it must have no effect
        outside the database. An exception of `change` undoes its own statements only, and is raised
        here.

        Args:
            after_commit: called on the loop with the result, in the order of the commits.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def on_result(result: T | Exception) -> None:
            if after_commit is not None and not isinstance(result, Exception):
                after_commit(result)
            if future.done():  # the caller was cancelled; the change stays
                return
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

        self.enqueue(_run_changes, change, on_result)
        return await future

    def enqueue(
        self, batch_function: BatchFunction, item: Any, on_result: Callable[[Any], None]
    ) -> None:
        """Queue `item` for `batch_function(connection, items)`, one call for all items of a commit.

        The function returns a result or an exception for each item. After the commit
        `on_result(result)` is called on the loop, in the order in which the items were queued.
        """
        self._pending.append(PendingWrite(batch_function, item, on_result))
        if not self._writer_busy:
            self._writer_busy = True
            # Not at once: further writes of this turn of the loop share the commit.
            asyncio.get_running_loop().call_soon(self._dispatch_batch)

    async def close(self) -> None:
        """Finish the writes that wait and the reads that run, then close all connections."""
        if self._writer_busy:
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                await self.write(lambda _connection: None)
        # A connection that is in use is not closed with the others.
        await asyncio.to_thread(self._readers.shutdown)
        self._writer.shutdown(wait=False)
        self.engine.dispose()

    def _dispatch_batch(self) -> None:
        """Give the writer the writes that wait. It gets the next batch after this one: until then
        the loop collects, and the two do not compete for the interpreter."""
        batch, self._pending = self._pending[:MAX_BATCH], self._pending[MAX_BATCH:]
        loop = asyncio.get_running_loop()
        commit = loop.run_in_executor(self._writer, group_commit.commit, self.engine, batch)
        self.commits += 1
        self.writes += len(batch)
        commit.add_done_callback(lambda commit: self._resolve_batch(batch, commit.result()))

    def _resolve_batch(self, batch: list[PendingWrite], results: list[Any]) -> None:
        self._writer_busy = bool(self._pending)
        if self._pending:
            self._dispatch_batch()
        for write, result in zip(batch, results, strict=True):
            try:
                write.on_result(result)
            except Exception:  # a mistake in one callback must not keep back the other results
                log.exception("a callback after a commit failed")


def _run_changes(connection: sa.Connection, changes: list[Callable[[sa.Connection], T]]) -> list[T]:
    return [change(connection) for change in changes]
