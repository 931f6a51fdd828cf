"""Members of some groups, all of them at a client, and what becomes of what they say."""

import asyncio
import random
import resource
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import argon2
import sqlalchemy as sa
import tornado.httpclient

from benchmarks.faults.client import Client
from benchmarks.faults.ledger import Ledger, Truth
from benchmarks.faults.page import Page
from benchmarks.faults.stage import Stage, until
from benchmarks.serve import fill
from capstone_chat.options import Options
from capstone_chat.schema import users

GENEROUS = (
    *("--send-rate=1000000", "--send-burst=1000000"),
    *("--signal-rate=1000000", "--signal-burst=1000000"),
    *("--request-rate=1000000", "--request-burst=1000000"),
    *("--sockets-per-address=1000000", "--drain=0.2"),
)
"""Options without which the limits would be measured instead of the fault."""


class Crowd:
    """Clients, and the ledger that they share.

    Args:
        data: the folder of the chat processes; secret and SQLite file are made here.
        database: an SQLAlchemy URL, or empty for SQLite in `data`.
    """

    def __init__(
        self,
        stage: Stage,
        data: Path,
        database: str = "",
        *,
        rooms: int,
        members: int,
        ping_every: float = 1.0,
    ) -> None:
        self.stage = stage
        self.options = Options(data=str(data), database=database)
        data.mkdir(exist_ok=True)
        self.rooms = rooms
        self.people = [line.split("\t") for line in fill(self.options, rooms, members)]
        self.engine = sa.create_engine(self.options.database_url)
        stage.stack.callback(self.engine.dispose)
        self.ledger = Ledger()
        self.clients: list[Client] = []
        self.ping_every = ping_every
        self.http = tornado.httpclient.AsyncHTTPClient(force_instance=True, max_clients=200)
        stage.stack.callback(self.http.close)
        stage.stack.push_async_callback(self.leave)
        self.talking = False
        self._runs: list[asyncio.Task[None]] = []
        self._talks: list[asyncio.Task[None]] = []

    def arrive(self, addresses: Sequence[Callable[[], str]]) -> None:
        """Let everybody connect and stay connected, to the addresses in turn; in each group are
        some at all of them."""
        for number, (cookie, conv) in enumerate(self.people):
            client = Client(
                f"user{number}",
                cookie,
                int(conv),
                addresses[number // self.rooms % len(addresses)],
                self.ledger,
                random.Random(f"{self.stage.seed} {self.stage.name} {number}"),  # noqa: S311
                self.http,
                ping_every=self.ping_every,
            )
            self.clients.append(client)
            self._runs.append(asyncio.ensure_future(client.run()))

    async def warm_up(self, url: str) -> None:
        """Ask for so much at once that every thread of the chat, and its connection to the
        database, is there from now on."""
        pages = [Page(self.http, cookie) for cookie, _ in self.people]
        for _ in range(5):
            await asyncio.gather(*(page.fetch(f"{url}/api/state") for page in pages * 3))

    def talk(self, clients: Sequence[Client] | None = None, *, every: float = 0.0) -> None:
        """Let clients send one message after the other, until `hush`.

        Args:
            every: seconds between two of one client, at the least.
        """
        self.talking = True
        for client in self.clients if clients is None else clients:
            self._talks.append(asyncio.ensure_future(self._talk(client, every)))

    async def _talk(self, client: Client, every: float) -> None:
        while self.talking:
            await client.connected.wait()
            number = len(self.ledger.sent)
            await client.send(f"{client.name} says {number}")
            await asyncio.sleep(client.random.uniform(0.5, 1.5) * every)

    async def hush(self, seconds: float = 60) -> None:
        """Send nothing new; wait until all is acknowledged and everybody has seen all."""
        await self.quiet(seconds)
        await self.converge(seconds)

    async def quiet(self, seconds: float = 60) -> None:
        """Send nothing new; wait until all is acknowledged."""
        self.talking = False
        for talk in self._talks:  # some wait for a connection or for room
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        self._talks.clear()
        await until("all is acknowledged", lambda: not self.pending, seconds)

    @property
    def pending(self) -> int:
        """How many messages wait for their acknowledgement."""
        return sum(len(client.pending) for client in self.clients)

    async def converge(self, seconds: float) -> None:
        """Wait until everybody has seen all that is stored."""
        heads = self.truth().heads

        def all_there() -> bool:
            return all(client.last >= heads[client.conv] for client in self.clients)

        await until("everybody has seen all", all_there, seconds)

    def set_password(self, password: str) -> None:
        """Give everybody the same password: a hash of their own would take each of them 25 ms."""
        hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        with self.engine.begin() as connection:
            connection.execute(users.update().values(password=hasher.hash(password)))

    def truth(self) -> Truth:
        """Return what the database holds now."""
        return Truth.read(self.engine)

    async def leave(self) -> None:
        """Let everybody go."""
        self.talking = False
        for client in self.clients:
            client.leave()
        for talk in self._talks:
            talk.cancel()
        if self._runs:
            await asyncio.wait(self._runs, timeout=10)
        for task in self._runs:
            task.cancel()
        await asyncio.gather(*self._runs, *self._talks, return_exceptions=True)

    def total(self, figure: str) -> Counter[object]:
        """Return the sum of a client's counter over all clients."""
        return sum((getattr(client, figure) for client in self.clients), Counter())

    def judge(self) -> None:
        """Compare with the database what the clients were told, and note what came out."""
        truth = self.truth()
        views = {client.name: client.view for client in self.clients}
        verdict = self.ledger.judge(truth, views)
        for kind, found in verdict.problems().items():
            self.stage.expect(kind, not found, f"{len(found)}, such as {found[0]}")
        self.stage.count("clients", len(self.clients))
        self.stage.count("sent", len(self.ledger.sent))
        self.stage.count("acked", len(self.ledger.acked))
        self.stage.count("lost", len(verdict.lost))
        self.stage.count("doubled", len(verdict.doubled))
        self.stage.count("gaps", len(verdict.gaps))
        strangers = [client.name for client in self.clients if client.banned]
        self.stage.expect_equal("clients that were sent away", strangers, [])


def lift_limits() -> None:
    """Let this process, and those that it starts, have as many files open as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
