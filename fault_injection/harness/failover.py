"""The chat while the machine of a database dies and another one takes over."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import sqlalchemy as sa

from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.consistency import StoredState
from fault_injection.harness.context import Context
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess
from tests.support.chat_client import MAX_IN_FLIGHT

MAX_PAUSE_S = 15.0
"""Seconds within which all clients must have messages acknowledged again."""


class Failover:
    """Chat processes on databases that share their data, and clients that send all the time.

    Args:
        context: the context of the scenario.
        urls: the URL of the database for each chat process.
    """

    def __init__(self, context: Context, *urls: str) -> None:
        self.context = context
        self.pool = ClientPool(context, urls[0], rooms=4, members=4)
        for url in urls:
            self.add_process(url)

    def add_process(self, url: str) -> ChatProcess:
        """Return a further chat process, which is not started yet."""
        return self.pool.chat(f"chat{len(self.pool.chats)}", database=url)

    async def start(self) -> None:
        """Start the chat processes and the clients, and wait until messages are acknowledged."""
        await asyncio.gather(*(chat.start() for chat in self.pool.chats))
        self.pool.connect_all()
        self.pool.start_sending(every=0.2)
        await self.pool.wait_for_each(5)

    async def inject(self, what: str, fault: Callable[[], Awaitable[object]]) -> None:
        """Cause a fault, and check that all clients have acknowledgements again soon enough.

        Args:
            what: the fault in words.
            fault: causes it.
        """
        self.context.progress(f"{what}, {len(self.pool.client_log.acked)} acknowledged")
        begin = time.monotonic()
        await fault()
        # One more than can have been in flight.
        await self.pool.wait_for_each(MAX_IN_FLIGHT + 1)
        seconds = time.monotonic() - begin
        self.context.figures[f"{what}: resumed after s"] = round(seconds, 1)
        self.context.expect_time(f"{what}: resumed", seconds < MAX_PAUSE_S, f"{seconds:.1f} s")

    async def conflicts(self) -> int:
        """Return how many commits of the chat processes have conflicted."""
        name = "chat_commit_conflicts_total"
        return sum([await self.pool.metric(chat, name) for chat in self.pool.chats])

    async def finish(self, servers: Sequence[str]) -> None:
        """Stop sending, compare what the clients have with each server, and stop the chat.

        Args:
            servers: the URLs of all servers that run.
        """
        await self.pool.stop_and_converge()
        self.pool.verify()
        wanted = self.pool.stored_state()
        for url in servers:
            engine = sa.create_engine(url)
            same = StoredState.read(engine) == wanted
            engine.dispose()
            self.context.expect(f"the rows of {sa.make_url(url).port}", same)
        errors, closes = self.pool.total("errors"), self.pool.total("closes")
        refused = self.pool.total("refused")
        self.context.figures["errors"] = dict(errors)
        conflicts = sum(chat.read_log().count("a commit was given up") for chat in self.pool.chats)
        self.context.figures["commits given up"] = conflicts
        self.context.figures["given up"] = sum(client.timeouts for client in self.pool.clients)
        self.context.expect("errors", errors.keys() <= {"unavailable"}, dict(errors))
        self.context.expect("close codes", closes.keys() <= {1013}, dict(closes))
        # 599: a client gives up a handshake or a request after 10 seconds without an answer.
        self.context.expect("handshakes refused", refused.keys() <= {503, 599}, dict(refused))
        await stop_and_check_leaks(self.pool)
