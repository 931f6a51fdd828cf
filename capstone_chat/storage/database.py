"""Asynchronous access to the database: reads in several threads, writes in one, in batches.

The writer takes all queued writes and commits them once, see `group_commit`. A result is returned
after its commit, so an acknowledged message is on the disk.
"""

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa

from capstone_chat.storage import engines, group_commit
from capstone_chat.storage.group_commit import BatchFunction, PendingWrite
from capstone_chat.storage.read_batcher import ReadBatcher
from capstone_chat.storage.write_connection import WriteConnection

log = logging.getLogger(__name__)

T = TypeVar("T")
_Batch = tuple[asyncio.AbstractEventLoop, list[PendingWrite]]

MAX_BATCH = 1024
"""Maximum number of writes in one commit: more writes delay the first ones for little gain."""


def now_ms() -> int:
    """Return the current time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Database:
    """A database with a pool of reader threads and one writer thread.

    Args:
        url: an SQLAlchemy URL.
        readers: the number of threads for reads.
    """

    def __init__(self, url: str | sa.URL, *, readers: int = 4) -> None:
        self.engine = engines.create_engine(url, connections=readers + 1)
        self._write_connection = WriteConnection(self.engine)
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="read")
        # An executor's future costs 50 calls of Python and a turn of the loop for each batch.
        self._batches: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._commit_batches, name="write", daemon=True)
        self._read_batcher = ReadBatcher(self.engine, self._readers)
        self._pending: list[PendingWrite] = []
        self._writer_busy = False
        self._last_size = 0
        self.before_results: Callable[[], None] = _do_nothing
        """Called before the results of a batch are handed out, and `after_results` after them."""
        self.after_results: Callable[[], None] = _do_nothing
        self.commits = 0
        self.writes = 0
        self.conflicts = 0

    async def read(self, query: Callable[[sa.Connection], T]) -> T:
        """Run `query(connection)` in a reader thread, in a separate transaction."""

        def run() -> T:
            with self.engine.begin() as connection:
                return query(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    def read_batched(self, query: Callable[[sa.Connection], T]) -> Awaitable[T]:
        """Run a short, indexed `query(connection)` in a batch of reads; see `read_batcher`."""
        return self._read_batcher.load(query)

    async def write(
        self,
        change: Callable[[sa.Connection], T],
        after_commit: Callable[[T], None] | None = None,
    ) -> T:
        """Run `change(connection)` in the next batch; return its result after the commit.

        `change` runs again if another write of its batch fails or its commit conflicts, so it must
        have no effect outside the database. An exception of `change` rolls back its own statements
        only, and is raised here.

        Args:
            change: the function that writes.
            after_commit: called on the event loop with the result, in the order of the commits.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def on_result(result: T | Exception) -> None:
            if after_commit is not None and not isinstance(result, Exception):
                after_commit(result)
            if future.done():  # the caller was cancelled; the change is committed nevertheless
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
        """Queue an item for `batch_function(connection, items)`, called once for each batch.

        The function returns a result or an exception for each item. After the commit
        `on_result(result)` is called on the event loop, in the order of the queue.
        """
        self._pending.append(PendingWrite(batch_function, item, on_result))
        if not self._writer_busy:
            self._writer_busy = True
            if self._last_size == 1:  # writes come alone: a turn of the loop would bring no other
                self._dispatch_batch()
            else:  # further writes of this iteration of the event loop join the batch
                asyncio.get_running_loop().call_soon(self._dispatch_batch)

    async def close(self) -> None:
        """Finish queued writes and running reads, then close all connections."""
        if self._writer_busy:
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                await self.write(lambda _connection: None)
        # dispose() does not close connections that are in use, so wait for the readers.
        await asyncio.to_thread(self._readers.shutdown)
        self._batches.put(None)
        self._write_connection.close()
        self.engine.dispose()

    def _dispatch_batch(self) -> None:
        """Hand the queued writes to the writer thread.

        Only one batch is in the writer at a time. While it commits, the event loop collects the
        next batch, and the two threads do not compete for the GIL.
        """
        batch, self._pending = self._pending[:MAX_BATCH], self._pending[MAX_BATCH:]
        if not self._writer.ident:
            self._writer.start()
        self._batches.put((asyncio.get_running_loop(), batch))
        self._last_size = len(batch)
        self.commits += 1
        self.writes += len(batch)

    def _commit_batches(self) -> None:
        """Commit one batch after the other, in the writer thread."""
        while found := self._batches.get():
            loop, batch = found
            results = group_commit.commit(self._write_connection, batch, self._count_conflict)
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._resolve_batch, batch, results)

    def _count_conflict(self) -> None:
        self.conflicts += 1

    def _resolve_batch(self, batch: list[PendingWrite], results: list[Any]) -> None:
        self._writer_busy = bool(self._pending)
        if self._pending:
            self._dispatch_batch()
        self.before_results()
        for write, result in zip(batch, results, strict=True):
            try:
                write.on_result(result)
            except Exception:  # an error in one callback must not withhold the other results
                log.exception("a callback after a commit failed")
        self.after_results()


def _do_nothing() -> None:
    pass


def _run_changes(connection: sa.Connection, changes: list[Callable[[sa.Connection], T]]) -> list[T]:
    return [change(connection) for change in changes]
