"""Short reads that travel together: what an index finds costs less than the way to a thread and
back. A lone one goes at once; when thousands come back in the same moment, many share a trip."""

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
"""Trips under way at once; what is asked meanwhile waits for the next one."""
MAX_BATCH_SIZE = 64
"""Questions in a trip at the most: the last one is not to wait for too many others."""


@dataclass(slots=True)
class _PendingRead:
    query: Callable[[sa.Connection], Any]
    answer: asyncio.Future[Any]


class ReadBatcher:
    """Takes questions to the database.

    Args:
        engine: connects to it.
        threads: where the trips are made.
    """

    def __init__(self, engine: sa.Engine, threads: Executor) -> None:
        self._engine = engine
        self._threads = threads
        self._waiting: list[_PendingRead] = []
        self._trips = 0

    async def load(self, query: Callable[[sa.Connection], T]) -> T:
        """Run `query(connection)`, in one reading transaction with what else is asked now.

        `query` may run twice (when a neighbour fails). What it raises is raised here alone, but
        for a database that is in trouble: that is told to all of a trip.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_PendingRead(query, answer))
        if len(self._waiting) == 1 and self._trips < MAX_CONCURRENT_BATCHES:
            loop.call_soon(self._leave)  # not at once: what else this turn brings comes along
        return await answer

    def _leave(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting and self._trips < MAX_CONCURRENT_BATCHES:
            asked, self._waiting = self._waiting[:MAX_BATCH_SIZE], self._waiting[MAX_BATCH_SIZE:]
            queries = [question.query for question in asked]
            try:
                trip = loop.run_in_executor(self._threads, self._find, queries)
            except RuntimeError as error:  # the database has been closed
                _tell(asked, [error] * len(asked))
            else:
                self._trips += 1
                trip.add_done_callback(functools.partial(self._return, asked))

    def _return(self, asked: list[_PendingRead], trip: asyncio.Future[list[Any]]) -> None:
        self._trips -= 1
        self._leave()
        _tell(asked, trip.result())

    def _find(self, queries: list[Callable[[sa.Connection], Any]]) -> list[Any]:
        """Return a result or an exception for each query."""
        try:
            with self._engine.begin() as connection:
                return [query(connection) for query in queries]
        except engines.Unreachable as error:  # it would not answer the others either
            return [error] * len(queries)
        except Exception as error:
            if len(queries) == 1:
                return [error]
        return [found for query in queries for found in self._find([query])]


def _tell(asked: list[_PendingRead], found: list[Any]) -> None:
    for question, result in zip(asked, found, strict=True):
        if question.answer.done():  # whoever asked has gone
            continue
        if isinstance(result, Exception):
            question.answer.set_exception(result)
        else:
            question.answer.set_result(result)
