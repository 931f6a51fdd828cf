"""A pool of clients that send messages in some groups, and the check of what became of them."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import argon2
import sqlalchemy as sa
import tornado.httpclient

from benchmarks.serve import seed_database
from capstone_chat.options import Options
from capstone_chat.storage.tables import users
from fault_injection.harness.api_session import ApiSession
from fault_injection.harness.consistency import ClientLog, StoredState
from fault_injection.harness.context import Context, wait_until
from fault_injection.harness.resuming_client import Client

NO_LIMITS = (
    *("--send-rate=1000000", "--send-burst=1000000"),
    *("--signal-rate=1000000", "--signal-burst=1000000"),
    *("--request-rate=1000000", "--request-burst=1000000"),
    *("--frame-rate=1000000", "--frame-burst=1000000"),
    *("--read-rate=1000000", "--read-burst=1000000"),
    *("--sockets-per-address=1000000", "--connections-per-address=1000000", "--drain=0.2"),
)
"""Options without which the limits would be measured instead of the fault."""


class ClientPool:
    """Clients, and the `ClientLog` that they share.

    Args:
        data: the folder of the chat processes; secret and SQLite file are made here.
        database: an SQLAlchemy URL, or empty for SQLite in `data`.
    """

    def __init__(
        self,
        context: Context,
        data: Path,
        database: str = "",
        *,
        rooms: int,
        members: int,
        ping_every: float = 1.0,
    ) -> None:
        self.context = context
        self.options = Options(data=str(data), database=database)
        data.mkdir(exist_ok=True)
        self.rooms = rooms
        self.credentials = [
            line.split("\t") for line in seed_database(self.options, rooms, members)
        ]
        self.engine = sa.create_engine(self.options.database_url)
        context.stack.callback(self.engine.dispose)
        self.client_log = ClientLog()
        self.clients: list[Client] = []
        self.ping_every = ping_every
        self.http = tornado.httpclient.AsyncHTTPClient(force_instance=True, max_clients=200)
        context.stack.callback(self.http.close)
        context.stack.push_async_callback(self.disconnect_all)
        self.sending = False
        self._runners: list[asyncio.Task[None]] = []
        self._senders: list[asyncio.Task[None]] = []

    def connect_all(self, addresses: Sequence[Callable[[], str]]) -> None:
        """Connect one client for each user, to the addresses in turn. Every group has members at
        all addresses."""
        for number, (cookie, conv) in enumerate(self.credentials):
            client = Client(
                f"user{number}",
                cookie,
                int(conv),
                addresses[number // self.rooms % len(addresses)],
                self.client_log,
                random.Random(f"{self.context.seed} {self.context.name} {number}"),  # noqa: S311
                self.http,
                ping_every=self.ping_every,
            )
            self.clients.append(client)
            self._runners.append(asyncio.ensure_future(client.run()))

    async def warm_up(self, url: str) -> None:
        """Ask for so much at once that every thread of the chat, and its connection to the
        database, is there from now on."""
        sessions = [ApiSession(self.http, cookie) for cookie, _ in self.credentials]
        for _ in range(5):
            await asyncio.gather(*(session.fetch(f"{url}/api/state") for session in sessions * 3))

    def start_sending(self, clients: Sequence[Client] | None = None, *, every: float = 0.0) -> None:
        """Let clients send one message after the other, until `stop_sending`.

        Args:
            every: seconds between two of one client, at the least.
        """
        self.sending = True
        for client in self.clients if clients is None else clients:
            self._senders.append(asyncio.ensure_future(self._send_loop(client, every)))

    async def _send_loop(self, client: Client, every: float) -> None:
        while self.sending:
            await client.connected.wait()
            number = len(self.client_log.sent)
            await client.send(f"message {number} of {client.name}")
            await asyncio.sleep(client.rng.uniform(0.5, 1.5) * every)

    async def stop_and_converge(self, seconds: float = 60) -> None:
        """Stop sending; wait until all is acknowledged and every client has received all."""
        await self.stop_sending(seconds)
        await self.wait_converged(seconds)

    async def stop_sending(self, seconds: float = 60) -> None:
        """Stop sending; wait until all is acknowledged."""
        self.sending = False
        for sender in self._senders:  # some wait for a connection or for the window
            sender.cancel()
        await asyncio.gather(*self._senders, return_exceptions=True)
        self._senders.clear()
        await wait_until("all is acknowledged", lambda: not self.pending, seconds)

    @property
    def pending(self) -> int:
        """How many messages wait for their acknowledgement."""
        return sum(len(client.pending) for client in self.clients)

    async def wait_converged(self, seconds: float) -> None:
        """Wait until every client has received all that is stored."""
        heads = self.stored_state().heads

        def all_received() -> bool:
            return all(client.last_seq >= heads[client.conv] for client in self.clients)

        await wait_until("every client has received all", all_received, seconds)

    def set_password(self, password: str) -> None:
        """Give everybody the same password: a hash of their own would take each of them 25 ms."""
        hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        with self.engine.begin() as connection:
            connection.execute(users.update().values(password=hasher.hash(password)))

    def stored_state(self) -> StoredState:
        """Return what the database holds now."""
        return StoredState.read(self.engine)

    async def disconnect_all(self) -> None:
        """Disconnect all clients for good."""
        self.sending = False
        for client in self.clients:
            client.disconnect()
        for sender in self._senders:
            sender.cancel()
        if self._runners:
            await asyncio.wait(self._runners, timeout=10)
        for task in self._runners:
            task.cancel()
        await asyncio.gather(*self._runners, *self._senders, return_exceptions=True)

    def total(self, figure: str) -> Counter[object]:
        """Return the sum of a client's counter over all clients."""
        return sum((getattr(client, figure) for client in self.clients), Counter())

    def verify(self) -> None:
        """Check the clients' log against the database, and record violations and figures."""
        stored_state = self.stored_state()
        views = {client.name: client.view for client in self.clients}
        violations = self.client_log.check(stored_state, views)
        for kind, found in violations.problems().items():
            self.context.expect(kind, not found, f"{len(found)}, such as {found[0]}")
        self.context.count("clients", len(self.clients))
        self.context.count("sent", len(self.client_log.sent))
        self.context.count("acked", len(self.client_log.acked))
        self.context.count("lost", len(violations.lost))
        self.context.count("duplicated", len(violations.duplicated))
        self.context.count("gaps", len(violations.gaps))
        rejected = [client.name for client in self.clients if client.rejected]
        self.context.expect_equal("clients that must not reconnect", rejected, [])
