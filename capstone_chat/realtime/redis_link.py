"""Connection to one Redis server, over which channels are subscribed to and published.

After any error the link connects again and subscribes to all its channels again.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import redis.asyncio
import redis.exceptions
from redis.asyncio.client import PubSub

log = logging.getLogger(__name__)

REDIS_TIMEOUT = 3.0
"""Timeout in seconds of a connection to Redis and of a command."""

RECONNECT_DELAY = 0.25
"""Seconds between two attempts to connect to Redis."""

HEARTBEAT_INTERVAL = 5.0
"""Seconds between two pings of Redis."""

MAX_QUEUED = 100_000
"""Maximum number of queued lines. Further lines are dropped; the heads repair the loss."""

NO_ANSWER = "redis does not answer"
REFUSED = "redis refuses the user or password of --redis"

AUTHENTICATION_ERRORS = (
    redis.exceptions.AuthenticationError,
    redis.exceptions.AuthorizationError,
    redis.exceptions.NoPermissionError,
)
"""Errors NOAUTH and WRONGPASS, and NOPERM for a user without permission for the chat's channels."""

CONNECTION_ERRORS = (redis.exceptions.RedisError, OSError)


class RedisLink:
    """Publishes and subscribes on one Redis server.

    Args:
        client: the client of the server; the link closes it.
        sharded: whether the server is part of a cluster, which needs sharded channels.
        header: id of this process, with which each publication begins.
        on_publication: called with the channel and the data of each publication.
        on_failure: called when the connection breaks, or when a channel has moved elsewhere.
        counts: counts the publications that Redis has accepted, as "sent".
    """

    def __init__(
        self,
        client: redis.asyncio.Redis,
        *,
        sharded: bool,
        header: bytes,
        on_publication: Callable[[str, bytes], None],
        on_failure: Callable[[], None],
        counts: Counter[str],
    ) -> None:
        self.client = client
        self._prefix = "S" if sharded else ""
        self._header = header
        self._on_publication = on_publication
        self._on_failure = on_failure
        self._counts = counts
        self._wanted: set[str] = set()
        self._subscribed: set[str] = set()
        self._changed: set[str] = set()
        self._has_changes = asyncio.Event()
        self._waiters: list[asyncio.Future[None]] = []
        self._pending_pings: dict[bytes, list[asyncio.Future[None]]] = {}
        self._outgoing: list[dict[str, list[bytes]]] = [{}]
        self._queued = 0
        self._has_outgoing = asyncio.Event()
        self._publish_lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self.is_connected = False
        """Whether Redis has confirmed the subscriptions of the current connection."""
        self._failure_reason = ""
        """Reason of the last failure; "" after a connection has lasted for HEARTBEAT_INTERVAL."""

    async def start(self) -> None:
        """Connect; return after the first attempt, which may have failed."""
        self._task = asyncio.create_task(self._run_forever())
        await self._tried.wait()

    async def close(self) -> None:
        """Send all queued publications, and close the connections."""
        if self._task is not None:
            was_connected, self.is_connected = self.is_connected, False  # nothing more is queued
            try:
                if was_connected:
                    await asyncio.wait_for(self._flush(), REDIS_TIMEOUT)
            except CONNECTION_ERRORS as error:
                log.warning("the last events were not published: %s", error)
            # The loops also check `_task`: asyncio.wait_for, in redis-py, can swallow a
            # cancellation that arrives as it completes.
            task, self._task = self._task, None
            task.cancel()
            await asyncio.wait([task])
        await self.client.aclose()

    def unhealthy_reason(self) -> str | None:
        """Return the reason why nothing is published or received, or None."""
        if not self.is_connected:
            return self._failure_reason or NO_ANSWER
        # Redis may accept a connection and refuse the command PUBLISH.
        return REFUSED if self._failure_reason == REFUSED else None

    def publish(self, channel: str, line: bytes, *, alone: bool = False) -> None:
        """Queue a line for the subscribers of a channel.

        Args:
            channel: the channel.
            line: the line.
            alone: whether to keep its order relative to the lines of all other channels. Other
                lines are joined by channel.
        """
        if self.is_connected and self._queued < MAX_QUEUED:
            self._queued += 1
            if alone and self._outgoing[-1]:
                self._outgoing.append({})
            self._outgoing[-1].setdefault(channel, []).append(line)
            if alone:
                self._outgoing.append({})
            self._has_outgoing.set()

    def subscribe(self, *channels: str) -> None:
        """Receive the publications of channels from now on."""
        self._wanted.update(channels)
        self._changed.update(channels)
        self._has_changes.set()

    def unsubscribe(self, *channels: str) -> None:
        """Stop receiving channels."""
        self._wanted.difference_update(channels)
        self._changed.update(channels)
        self._has_changes.set()

    def subscribe_only(self, channels: set[str]) -> None:
        """Receive these channels, and no others."""
        self.unsubscribe(*self._wanted - channels)
        self.subscribe(*channels - self._wanted)

    async def wait_subscribed(self) -> None:
        """Wait until Redis has confirmed all subscriptions; return at once during an outage."""
        if self.is_connected and (self._changed or self._pending_pings):
            self._waiters.append(done := asyncio.get_running_loop().create_future())
            self._has_changes.set()
            await done

    async def _run_forever(self) -> None:
        """Keep a connection to Redis. Reconnect after any error, until `close` is called."""
        while self._task is not None:
            try:
                async with self.client.pubsub() as pubsub:
                    await self._run_connection(pubsub)
            except* Exception as errors:  # also after a programming error
                self._record_failure(_first(errors))
            self.is_connected = False
            self._tried.set()
            await self.client.connection_pool.disconnect()
            self._outgoing, self._queued = [{}], 0
            for waiters in (self._waiters, *self._pending_pings.values()):
                _resolve_all(waiters)
            self._waiters, self._pending_pings = [], {}
            self._on_failure()
            await asyncio.sleep(RECONNECT_DELAY)

    def _record_failure(self, error: BaseException) -> None:
        """Store the reason for /readyz; log it only if it differs from the last one."""
        reason = reason_for(error)
        if reason != self._failure_reason:
            log.error("nothing is received from other processes: %s: %s", reason, error)
        self._failure_reason = reason

    async def _run_connection(self, pubsub: PubSub) -> None:
        self._changed, self._subscribed = set(self._wanted), set()
        self._has_changes.set()
        # A channel of its own: Redis answers pings by a "pong" message to subscribers only.
        await pubsub.subscribe(self._header)
        await pubsub.get_message(timeout=REDIS_TIMEOUT)  # raises an error if Redis refuses
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._receive_loop(pubsub))
            tasks.create_task(self._subscription_loop(pubsub))
            tasks.create_task(self._publish_loop())
            tasks.create_task(self._heartbeat_loop(pubsub))

    async def _receive_loop(self, pubsub: PubSub) -> None:
        while self._task is not None:
            message = await pubsub.get_message(timeout=3 * HEARTBEAT_INTERVAL)
            if message is None:
                raise redis.exceptions.TimeoutError("Redis is silent")
            match message["type"]:
                case "message" | "smessage":
                    self._on_publication(message["channel"].decode(), message["data"])
                case "pong" if message["data"] in self._pending_pings:
                    self.is_connected = True
                    self._tried.set()
                    _resolve_all(self._pending_pings.pop(message["data"]))
                case "sunsubscribe" if message["channel"].decode() in self._subscribed:
                    self._on_failure()  # another server has the channel now

    async def _subscription_loop(self, pubsub: PubSub) -> None:
        while self._task is not None:
            await self._has_changes.wait()
            self._has_changes.clear()
            changes, self._changed = self._changed, set()
            new = (changes & self._wanted) - self._subscribed
            old = (changes & self._subscribed) - self._wanted
            self._subscribed = (self._subscribed | new) - old
            number = secrets.token_bytes(8)
            self._pending_pings[number], self._waiters = self._waiters, []
            commands = [
                (self._prefix + command, *channels)
                for command, some in (("SUBSCRIBE", new), ("UNSUBSCRIBE", old))
                # In a cluster, channels of different slots need commands of their own.
                for channels in (
                    ([one] for one in some) if self._prefix else [some] if some else []
                )
            ]
            connection: Any = pubsub.connection
            await connection.send_packed_command(connection.pack_commands(commands))
            await pubsub.ping(number)  # Redis answers in order: the pong follows the subscriptions

    async def _publish_loop(self) -> None:
        while self._task is not None:
            await self._has_outgoing.wait()
            self._has_outgoing.clear()
            await self._flush()

    async def _flush(self) -> None:
        async with self._publish_lock:  # `close` waits for a pipeline in flight
            outgoing, self._outgoing, self._queued = self._outgoing, [{}], 0
            pipeline = self.client.pipeline(transaction=False)
            for batch in outgoing:
                for channel, lines in batch.items():
                    data = self._header + b"\n".join(lines)
                    pipeline.execute_command(self._prefix + "PUBLISH", channel, data)
            self._counts["sent"] += len(await pipeline.execute())

    async def _heartbeat_loop(self, pubsub: PubSub) -> None:
        while self._task is not None:
            await pubsub.ping(b"")
            if not self._prefix:  # Redis may refuse this command; a cluster is checked at the start
                await self.client.publish(self._header, self._header)
            await asyncio.sleep(HEARTBEAT_INTERVAL)
            self._failure_reason = ""


def reason_for(error: BaseException) -> str:
    """Return the reason for the operator: Redis refuses this process, or does not answer."""
    return REFUSED if isinstance(error, AUTHENTICATION_ERRORS) else NO_ANSWER


def _first(errors: BaseException) -> BaseException:
    """Return the first single error of an exception group, which may be nested."""
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors


def _resolve_all(waiters: Iterable[asyncio.Future[None]]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
