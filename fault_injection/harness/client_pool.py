"""A pool of clients that send messages in groups, and the check of all messages afterwards."""

import asyncio
import functools
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import argon2
import sqlalchemy as sa
import tornado.httpclient

from benchmarks.serve import seed_database
from capstone_chat.options import Options
from capstone_chat.storage.tables import users
from fault_injection.harness.consistency import ClientLog, Position, StoredState
from fault_injection.harness.context import Context, wait_until
from fault_injection.harness.processes import ChatProcess
from tests.support.api_session import ApiSession
from tests.support.chat_accounts import captcha_answer
from tests.support.chat_client import ResumingClient

NO_LIMITS = (
    *("--send-rate=1000000", "--send-burst=1000000"),
    *("--signal-rate=1000000", "--signal-burst=1000000"),
    *("--request-rate=1000000", "--request-burst=1000000"),
    *("--frame-rate=1000000", "--frame-burst=1000000"),
    *("--read-rate=1000000", "--read-burst=1000000"),
    *("--sockets-per-address=1000000", "--connections-per-address=1000000", "--drain=0.2"),
)
"""Options of the chat that raise its limits, so that they do not hide the effect of a fault."""


class PoolClient(ResumingClient):
    """A client that records the messages that it sends and the events that it receives.

    Args:
        name: of the user, for messages.
        session: a session of the user.
        conv: id of the conversation.
        client_log: records messages and acknowledgements.
        rng: source of the random waiting times.
        ping_interval: seconds between two pings.
    """

    def __init__(
        self,
        name: str,
        session: ApiSession,
        conv: int,
        client_log: ClientLog,
        rng: random.Random,
        ping_interval: float,
    ) -> None:
        super().__init__(session, conv, rng=rng, ping_interval=ping_interval)
        self.name = name
        self.client_log = client_log
        self.last_live_seq = 0
        """The seq of the newest message that came through the socket."""
        self.may_connect = asyncio.Event()
        """Cleared while the client must not connect."""
        self.may_connect.set()

    @property
    def view(self) -> dict[Position, str]:
        """The texts of all events that it has received, by position."""
        return {(self.conv, seq): text_of(event) for seq, event in self.events.items()}

    async def run_connection(self) -> None:
        """Connect as soon as it may, and handle events until the connection is closed."""
        await self.may_connect.wait()
        await super().run_connection()

    async def send(self, text: str) -> str:
        """Send a message, now or after the next hello, and record it; return its cid."""
        cid = await super().send(text)
        self.client_log.send(cid, self.conv, text)
        return cid

    async def handle(self, event: dict[str, Any]) -> None:
        """Handle one event of the server, and record acknowledgements and live messages."""
        if event["type"] == "ack":
            self.client_log.ack(event["cid"], event["conv"], event["seq"], event["at"])
        elif event["type"] == "message" and event["conv"] == self.conv:
            self.last_live_seq = max(self.last_live_seq, event["seq"])
        await super().handle(event)

    def insert(self, event: dict[str, Any]) -> None:
        """Add an event to the log. Two events with one seq that differ are a violation."""
        known = self.events.get(event["seq"], event)
        if text_of(known) != text_of(event):
            self.client_log.contradictory.append(f"{self.name} received {known} and {event}")
        super().insert(event)

    def stop(self) -> None:
        """Close the connection and do not connect again."""
        super().stop()
        self.may_connect.set()


def text_of(event: Mapping[str, Any]) -> str:
    """Return the text of a message, or the kind of a change of membership."""
    return event.get("text") or event.get("change") or ""


class ClientPool:
    """Clients, the `ClientLog` that they share, and the chat processes that they use.

    Args:
        context: the context of the scenario.
        database: an SQLAlchemy URL, or empty for SQLite in `data`.
        redis: the URL of the Redis of several processes.
        data: folder of the chat processes; the secret and the SQLite file are created here.
        rooms: number of groups.
        members: members of each group.
        ping_interval: seconds between two pings of a client.
        credentials: cookie and id of the group of each user in a database that is filled already.
    """

    def __init__(
        self,
        context: Context,
        database: str = "",
        redis: str = "",
        *,
        data: Path | None = None,
        rooms: int = 1,
        members: int = 0,
        ping_interval: float = 1.0,
        credentials: list[list[str]] | None = None,
    ) -> None:
        """Create the database with its groups and users; `connect_all` connects the clients."""
        self.context = context
        data = data or context.folder / "data"
        self.options = Options(data=str(data), database=database, redis=redis)
        data.mkdir(exist_ok=True)
        self.chats: list[ChatProcess] = []
        self.rooms = rooms
        self.credentials = credentials or [
            line.split("\t") for line in seed_database(self.options, rooms, members)
        ]
        self.engine = sa.create_engine(self.options.database_url)
        context.stack.callback(self.engine.dispose)
        self.client_log = ClientLog()
        self.clients: list[PoolClient] = []
        self.ping_interval = ping_interval
        self.http = tornado.httpclient.AsyncHTTPClient(force_instance=True, max_clients=200)
        context.stack.callback(self.http.close)
        context.stack.push_async_callback(self.disconnect_all)
        self.sending = False
        self._runners: list[asyncio.Task[None]] = []
        self._senders: list[asyncio.Task[None]] = []

    def chat(
        self,
        name: str = "chat",
        *options: str,
        database: str = "",
        limits: Sequence[str] = NO_LIMITS,
        **environment: str,
    ) -> ChatProcess:
        """Return a further chat process, which is not started yet.

        Args:
            name: name of its log file.
            options: options of the command line.
            database: its own URL of the database, if it uses another server of a cluster.
            limits: options of the command line that stand for `NO_LIMITS`.
            environment: environment variables of `instrumented_chat`.
        """
        urls = f"--database={database or self.options.database}", f"--redis={self.options.redis}"
        every = f"--data={self.options.data}", *urls, *limits, *options
        self.chats.append(ChatProcess(self.context, name, *every, **environment))
        return self.chats[-1]

    async def start_chats(self, count: int, *options: str, **environment: str) -> list[ChatProcess]:
        """Start chat processes and connect the clients to them. The arguments are as in `chat`."""
        chats = [self.chat(f"chat{number}", *options, **environment) for number in range(count)]
        await asyncio.gather(*(chat.start() for chat in chats))
        self.connect_all()
        return chats

    def connect_all(self, *addresses: str) -> None:
        """Connect one client for each user, to the addresses in turn.

        Every group has members at all addresses, which are by default those of all chat processes.
        """
        addresses = addresses or tuple(chat.url for chat in self.chats)
        for number, (cookie, conv) in enumerate(self.credentials):
            url = addresses[number // self.rooms % len(addresses)]
            client = PoolClient(
                f"user{number}",
                ApiSession(url, cookie, self.http),
                int(conv),
                self.client_log,
                random.Random(f"{self.context.seed} {self.context.name} {number}"),  # noqa: S311
                self.ping_interval,
            )
            self.clients.append(client)
            self._runners.append(asyncio.ensure_future(client.run()))

    async def warm_up(self, url: str) -> None:
        """Send many requests at once, so that the chat starts all threads and connections.

        They stay open, so a later measurement does not count them as growth.
        """
        sessions = [ApiSession(url, cookie, self.http) for cookie, _ in self.credentials]
        for _ in range(5):
            await asyncio.gather(*(session.fetch("/api/state") for session in sessions * 3))

    def start_sending(
        self, clients: Sequence[PoolClient] | None = None, *, every: float = 0.0
    ) -> None:
        """Start to send messages, one after the other, until `stop_sending`.

        Args:
            clients: the clients that send; all by default.
            every: mean number of seconds between two messages of one client.
        """
        self.sending = True
        for client in self.clients if clients is None else clients:
            self._senders.append(asyncio.ensure_future(self._send_loop(client, every)))

    async def _send_loop(self, client: PoolClient, every: float) -> None:
        while self.sending:
            await client.connected.wait()
            number = len(self.client_log.sent)
            await client.send(f"message {number} of {client.name}")
            await asyncio.sleep(client.rng.uniform(0.5, 1.5) * every)

    async def wait_for_acks(self, more: int, seconds: float = 30) -> None:
        """Wait until so many more messages are acknowledged."""
        enough = len(self.client_log.acked) + more
        await wait_until("messages flow", lambda: len(self.client_log.acked) >= enough, seconds)

    async def wait_for_each(self, more: int) -> None:
        """Wait until each client has so many more messages acknowledged."""
        goals = [(client, len(client.acks) + more) for client in self.clients]
        await wait_until(
            "every client has acknowledgements",
            lambda: all(len(client.acks) >= goal for client, goal in goals),
            60,
        )

    async def stop_and_converge(self, seconds: float = 60) -> None:
        """Stop sending; wait until all messages are acknowledged and received by every client."""
        await self.stop_sending(seconds)
        await self.wait_converged(seconds)

    async def stop_sending(self, seconds: float = 60) -> None:
        """Stop sending; wait until all messages are acknowledged."""
        self.sending = False
        for sender in self._senders:  # some wait for a connection or an acknowledgement
            sender.cancel()
        await asyncio.gather(*self._senders, return_exceptions=True)
        self._senders.clear()
        await wait_until("all is acknowledged", lambda: not self.pending, seconds)

    @property
    def pending(self) -> int:
        """The number of messages that are not acknowledged."""
        return sum(len(client.pending) for client in self.clients)

    async def wait_converged(self, seconds: float) -> None:
        """Wait until every client has received all stored events.

        Args:
            seconds: longest time to wait.

        Raises:
            FaultError: a client has not received them in time.
        """
        heads = self.stored_state().heads

        def all_received() -> bool:
            return all(client.last_seq >= heads[client.conv] for client in self.clients)

        await wait_until("every client has received all", all_received, seconds)

    def set_password(self, password: str) -> None:
        """Set the same password for all users: each further hash would take 25 ms."""
        hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        with self.engine.begin() as connection:
            connection.execute(users.update().values(password=hasher.hash(password)))

    async def log_in(
        self, session: ApiSession, name: str, password: str
    ) -> tornado.httpclient.HTTPResponse:
        """Log in by the form; the answer of its captcha comes from the database."""
        answer = functools.partial(captcha_answer, self.engine)
        return await session.fill_in("/login", answer, name=name, password=password)

    async def metric(self, chat: ChatProcess, name: str) -> int:
        """Return a metric of a chat process; 0 if it has none of that name and labels."""
        page = (await self.http.fetch(f"{chat.url}/metrics")).body.decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
        return int(float(found[1])) if found else 0

    def integrity(self) -> str:
        """Return the result of SQLite's integrity check; "ok" is good."""
        with self.engine.connect() as connection:
            return str(connection.scalar(sa.text("PRAGMA integrity_check")))

    def stored_state(self) -> StoredState:
        """Return the events and heads in the database."""
        return StoredState.read(self.engine)

    async def disconnect_all(self) -> None:
        """Disconnect all clients; they do not connect again."""
        self.sending = False
        for client in self.clients:
            client.stop()
        for sender in self._senders:
            sender.cancel()
        if self._runners:
            await asyncio.wait(self._runners, timeout=10)
        for task in self._runners:
            task.cancel()
        await asyncio.gather(*self._runners, *self._senders, return_exceptions=True)

    def total(self, figure: str) -> Counter[object]:
        """Count what the clients have in a list: `closes`, `errors` or `refused`."""
        return Counter(value for client in self.clients for value in getattr(client, figure))

    def verify(self) -> None:
        """Compare the log of the clients with the database, and record violations and figures."""
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
