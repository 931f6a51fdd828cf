"""The chat while the machine of a database dies and another one takes over."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence

import sqlalchemy as sa

from fault_injection.harness.client_pool import NO_LIMITS, ClientPool
from fault_injection.harness.consistency import StoredState
from fault_injection.harness.context import Context, wait_until
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
        self.pool = ClientPool(context, context.folder / "data", urls[0], rooms=4, members=4)
        self.chats: list[ChatProcess] = []
        for url in urls:
            self.add_process(url)

    def add_process(self, url: str) -> ChatProcess:
        """Return a further chat process, which is not started yet."""
        options = f"--data={self.context.folder / 'data'}", f"--database={url}", *NO_LIMITS
        self.chats.append(ChatProcess(self.context, f"chat{len(self.chats)}", *options))
        return self.chats[-1]

    async def start(self) -> None:
        """Start the chat processes and the clients, and wait until messages are acknowledged."""
        await asyncio.gather(*(chat.start() for chat in self.chats))
        self.pool.connect_all([chat.url for chat in self.chats])
        self.pool.start_sending(every=0.2)
        await self.wait_for_acks(5)

    async def wait_for_acks(self, more: int, seconds: float = 60) -> None:
        """Wait until each client has so many more messages acknowledged."""
        goals = [(client, len(client.acks) + more) for client in self.pool.clients]
        await wait_until(
            "every client has acknowledgements",
            lambda: all(len(client.acks) >= goal for client, goal in goals),
            seconds,
        )

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
        await self.wait_for_acks(MAX_IN_FLIGHT + 1)
        seconds = time.monotonic() - begin
        self.context.figures[f"{what}: resumed after s"] = round(seconds, 1)
        self.context.expect_time(f"{what}: resumed", seconds < MAX_PAUSE_S, f"{seconds:.1f} s")

    async def conflicts(self) -> int:
        """Return how many commits of the chat processes have conflicted."""
        count = 0
        for chat in self.chats:
            response = await self.pool.http.fetch(f"{chat.url}/metrics")
            found = re.search(rb"^chat_commit_conflicts_total ([\d.]+)$", response.body, re.M)
            count += int(float(found[1])) if found else 0
        return count

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
        conflicts = sum(chat.read_log().count("a commit was given up") for chat in self.chats)
        self.context.figures["commits given up"] = conflicts
        self.context.figures["given up"] = sum(client.timeouts for client in self.pool.clients)
        self.context.expect("errors", errors.keys() <= {"unavailable"}, dict(errors))
        self.context.expect("close codes", closes.keys() <= {1013}, dict(closes))
        # 599: a client gives up a handshake or a request after 10 seconds without an answer.
        self.context.expect("handshakes refused", refused.keys() <= {503, 599}, dict(refused))
        await stop_and_check_leaks(self.context, self.pool, *self.chats)
