"""The broker of many processes: what one publishes, Redis carries to the hubs of the others.

Redis carries hints. While it is away messages are stored and acknowledged as ever, each process
tells its own sockets, and the heads in the next pong bring the others what they missed.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Iterable
from typing import Any

import redis.asyncio
import redis.backoff
import redis.exceptions
from redis.asyncio.client import PubSub

from capstone_chat.options import OptionError
from capstone_chat.realtime import protocol, topics
from capstone_chat.realtime.broker import BrokerHandler
from capstone_chat.realtime.presence import HEARTBEAT_INTERVAL, NODE_TIMEOUT, RemotePresence

log = logging.getLogger(__name__)

REDIS_TIMEOUT = 3.0
"""Seconds in which Redis must take a connection and answer a command."""

RECONNECT_DELAY = 0.25
"""Seconds from one attempt to reach Redis to the next."""

MAX_QUEUED = 100_000
"""Lines that wait for Redis at the most; what is beyond is lost, and healed by the heads."""

READY_MARKER = b"live"
"""Content of the ping whose pong comes when all topics are subscribed."""

PRESENCE_CHANNEL = "people"
"""The topic of who is connected where."""

NODE_ID_LENGTH = 16
"""Bytes in front of what a process publishes: its id, by which it drops its own messages."""

EVENT, VOLATILE_EVENT, CONTROL = b"e", b"h", b"o"
"""First byte of a line: what the rest of it is. Processes of two versions may share a Redis while
the chat is upgraded, so these stay as they are."""

NO_ANSWER = "redis does not answer"
REFUSED = "redis refuses the user or password of --redis"

AUTHENTICATION_ERRORS = (
    redis.exceptions.AuthenticationError,
    redis.exceptions.AuthorizationError,
    redis.exceptions.NoPermissionError,
)
"""NOAUTH and WRONGPASS, and NOPERM for a user who may not use the chat's channels."""

CONNECTION_ERRORS = (redis.exceptions.RedisError, OSError)


class RedisBroker:
    """Carries events and control messages to the hubs of all processes with the same secret.

    A hub subscribes it to the topics of its connections; of these only conversations and users are
    known outside the process. Each process works out who is online, see `RemotePresence`.

    Args:
        handler: this process's hub; what is published here is delivered to it at once.
        secret: chats that share a Redis and no secret know nothing of each other.
    """

    def __init__(self, handler: BrokerHandler, url: str, secret: str) -> None:
        self._handler = handler
        try:
            self._redis = redis.asyncio.Redis.from_url(
                url,
                protocol=2,
                socket_connect_timeout=REDIS_TIMEOUT,
                socket_timeout=REDIS_TIMEOUT,
                # Published twice is worse than lost: a failure ends the connection, and
                # `_run_forever` connects again.
                retry=redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0),
            )
            # Checks the parameters of the URL.
            self._redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        except (TypeError, ValueError) as error:
            raise OptionError(f"--redis: {error}") from None
        self._prefix = (
            hmac.digest(secret.encode(), b"bus", hashlib.sha256).hex()[:NODE_ID_LENGTH] + ":"
        )
        self._node_id = secrets.token_hex(NODE_ID_LENGTH // 2).encode()
        self._wanted: set[str] = set()
        self._subscribed: set[str] = set()
        self._changed_topics: set[str] = set()
        self._has_changes = asyncio.Event()
        self._subscription_waiters: list[asyncio.Future[None]] = []
        self._pending_pings: dict[bytes, list[asyncio.Future[None]]] = {}
        self._outgoing: list[dict[str, list[bytes]]] = [{}]
        self._queued = 0
        self._has_outgoing = asyncio.Event()
        self._publish_lock = asyncio.Lock()
        self._resync_tasks: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()
        self._failure_reason = ""
        """Reason of the last failure; empty when a connection lasted for HEARTBEAT_INTERVAL."""
        self.presence = RemotePresence(self._deliver_presence)
        self.sent = 0
        """Publications that Redis has taken."""
        self.received = 0
        """Publications of other processes."""

    async def connect(self) -> None:
        """Connect.

        Raises:
            OptionError: Redis cannot be reached, or does not let this process in.
        """
        try:
            await self._redis.ping()
        except CONNECTION_ERRORS as error:
            await self._redis.aclose()
            raise OptionError(f"--redis: {_reason_for(error)}: {error}") from None
        self._task = asyncio.create_task(self._run_forever())
        await self._connected.wait()

    async def disconnect(self) -> None:
        """Tell the other processes that this one leaves, and close the connections."""
        if self._task is not None:
            self._publish_presence({"bye": True})
            self._connected.clear()  # nothing is said after that
            try:
                await asyncio.wait_for(self._flush(), REDIS_TIMEOUT)
            except CONNECTION_ERRORS as error:
                log.warning("no goodbye to the other processes: %s", error)
            task, self._task = self._task, None  # seen by whom the cancellation does not reach:
            task.cancel()  # asyncio.wait_for, in redis-py, forgets one when it is done just then
            await asyncio.wait([task])
        await self._redis.aclose()

    def unhealthy_reason(self) -> str | None:
        """Return why other processes cannot be reached, or None."""
        if not self._connected.is_set():
            return self._failure_reason or NO_ANSWER
        # Redis may accept the connection and refuse to publish.
        return REFUSED if self._failure_reason == REFUSED else None

    def publish(self, topic: str, payload: bytes, *, volatile: bool = False) -> None:
        """Publish an event to the subscribers of a topic, here at once."""
        self._handler.deliver(topic, payload, volatile=volatile)
        if topics.is_cluster_wide(topic):
            self._queue(topic, (VOLATILE_EVENT if volatile else EVENT) + payload)

    def send_control(self, topic: str, order: dict[str, Any]) -> None:
        """Send a control message for the subscribers of a topic to every hub, this one at once."""
        self._apply_control(topic, order)
        # A batch joins the lines of each topic, so topics overtake each other in it. A control
        # message has its own batch: events before it arrive before it, those after it after it.
        self._outgoing += [{}] if self._outgoing[-1] else []
        self._queue(topic, CONTROL + json.dumps(order).encode())
        self._outgoing += [{}] if self._outgoing[-1] else []

    def subscribe(self, topic: str) -> None:
        """Receive a topic from other processes: the first connection here has subscribed."""
        if topics.is_cluster_wide(topic):
            self._wanted.add(topic)
            self._topic_changed(topic, "came")

    def unsubscribe(self, topic: str) -> None:
        """Receive it no longer: the last connection has unsubscribed."""
        if topics.is_cluster_wide(topic):
            self._wanted.discard(topic)
            self._topic_changed(topic, "went")

    async def wait_subscribed(self) -> None:
        """Wait until Redis has subscribed this process to all topics; not for Redis itself."""
        if self._connected.is_set() and (self._changed_topics or self._pending_pings):
            self._subscription_waiters.append(done := asyncio.get_running_loop().create_future())
            self._has_changes.set()
            await done

    def _topic_changed(self, topic: str, change: str) -> None:
        self._changed_topics.add(topic)
        self._has_changes.set()
        if (user_id := topics.user_id_of(topic)) is not None:
            self._publish_presence({change: user_id})

    def _queue(self, topic: str, line: bytes) -> None:
        if self._connected.is_set() and self._queued < MAX_QUEUED:
            self._queued += 1
            self._outgoing[-1].setdefault(topic, []).append(line)
            self._has_outgoing.set()

    def _publish_presence(self, message: dict[str, Any]) -> None:
        self._queue(PRESENCE_CHANNEL, json.dumps(message).encode())

    async def _run_forever(self) -> None:
        """Be connected, for ever: whatever fails, all begins anew."""
        while self._task is not None:
            try:
                async with self._redis.pubsub() as pubsub:
                    await self._run_connection(pubsub)
            except* Exception as errors:  # a mistake, too, must not keep the others away for ever
                self._record_failure(_first(errors))
            self._connected.clear()
            await self._redis.connection_pool.disconnect()
            self._outgoing, self._queued = [{}], 0
            _resolve_all(
                waiter
                for waiters in (self._subscription_waiters, *self._pending_pings.values())
                for waiter in waiters
            )
            self._subscription_waiters, self._pending_pings = [], {}
            await asyncio.sleep(RECONNECT_DELAY)

    def _record_failure(self, error: BaseException) -> None:
        """Keep the reason for /readyz; log it when it is new, not with each attempt."""
        reason = _reason_for(error)
        if reason != self._failure_reason:
            log.error("other processes are not heard: %s: %s", reason, error)
        self._failure_reason = reason

    async def _run_connection(self, pubsub: PubSub) -> None:
        self._changed_topics.clear()
        self._subscribed = set(self._wanted)
        await pubsub.subscribe(*map(self._channel, [PRESENCE_CHANNEL, *self._subscribed]))
        await pubsub.ping(READY_MARKER)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._receive_loop(pubsub))
            tasks.create_task(self._subscription_loop(pubsub))
            tasks.create_task(self._publish_loop())
            tasks.create_task(self._presence_loop())

    async def _receive_loop(self, pubsub: PubSub) -> None:
        while self._task is not None:
            message = await pubsub.get_message(timeout=NODE_TIMEOUT)
            if message is None:
                raise redis.exceptions.TimeoutError("Redis is silent")
            if message["type"] == "pong" and message["data"] == READY_MARKER:
                self._connected.set()
            elif message["type"] == "pong":
                _resolve_all(self._pending_pings.pop(message["data"], []))
            elif message["type"] == "message":
                sender, data = message["data"][:NODE_ID_LENGTH], message["data"][NODE_ID_LENGTH:]
                if sender != self._node_id:
                    self.received += 1
                    self._handle_message(
                        message["channel"].decode().removeprefix(self._prefix), sender, data
                    )

    async def _subscription_loop(self, pubsub: PubSub) -> None:
        while self._task is not None:
            await self._has_changes.wait()
            self._has_changes.clear()
            changes, self._changed_topics = self._changed_topics, set()
            new = (changes & self._wanted) - self._subscribed
            old = (changes & self._subscribed) - self._wanted
            self._subscribed = (self._subscribed | new) - old
            number = secrets.token_bytes(8)
            self._pending_pings[number], self._subscription_waiters = self._subscription_waiters, []
            if new:
                await pubsub.subscribe(*map(self._channel, new))
            if old:
                await pubsub.unsubscribe(*map(self._channel, old))
            await pubsub.ping(number)  # answered after all that was asked before

    async def _publish_loop(self) -> None:
        while self._task is not None:
            await self._has_outgoing.wait()
            self._has_outgoing.clear()
            await self._flush()

    async def _flush(self) -> None:
        async with self._publish_lock:  # a goodbye does not overtake what is under way
            outgoing, self._outgoing, self._queued = self._outgoing, [{}], 0
            pipeline = self._redis.pipeline(transaction=False)
            for batch in outgoing:
                for topic, lines in batch.items():
                    pipeline.publish(self._channel(topic), self._node_id + b"\n".join(lines))
            self.sent += len(await pipeline.execute())

    async def _presence_loop(self) -> None:
        await self._connected.wait()
        self.presence.reset_timeouts()
        self._publish_presence({"who": True})
        while True:
            self._publish_snapshot()
            await asyncio.sleep(HEARTBEAT_INTERVAL)
            self._failure_reason = ""
            self.presence.expire_stale()

    def _publish_snapshot(self) -> None:
        self._publish_presence(
            {"all": [id_ for id_ in map(topics.user_id_of, self._wanted) if id_ is not None]}
        )

    def _handle_message(self, topic: str, sender: bytes, data: bytes) -> None:
        for line in data.split(b"\n"):
            try:
                if topic == PRESENCE_CHANNEL:
                    self._handle_presence(sender, json.loads(line))
                elif line[:1] == CONTROL:
                    self._apply_control(topic, json.loads(line[1:]))
                else:
                    volatile = line[:1] == VOLATILE_EVENT
                    self._handler.deliver(topic, line[1:], volatile=volatile)
            except Exception:  # one line must not keep back the others
                log.exception("a line of another process was not understood")

    def _handle_presence(self, sender: bytes, message: dict[str, Any]) -> None:
        self.presence.apply(sender, message)
        if "who" in message:
            self._publish_snapshot()

    def _apply_control(self, topic: str, order: dict[str, Any]) -> None:
        self._handler.handle_control(topic, order)
        if "enter" in order and topic in self._wanted and self._changed_topics:
            task = asyncio.ensure_future(self._resync_after_subscribe(topic))
            self._resync_tasks.add(task)
            task.add_done_callback(self._resync_tasks.discard)

    async def _resync_after_subscribe(self, topic: str) -> None:
        """Compare heads after a subscription: an event may have been published before it."""
        await self.wait_subscribed()
        self._handler.handle_control(topic, {"heads": True})

    def _deliver_presence(self, user_id: int, online: bool) -> None:
        if topics.user(user_id) not in self._wanted:
            event = {"type": "presence", "user": user_id, "online": online}
            self._handler.deliver(topics.presence(user_id), protocol.encode(event), volatile=True)

    def _channel(self, topic: str) -> str:
        return self._prefix + topic


def _first(errors: BaseException) -> BaseException:
    """Return the first error in a group of groups."""
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors


def _reason_for(error: BaseException) -> str:
    """Return what an operator has to do about an error of Redis."""
    return REFUSED if isinstance(error, AUTHENTICATION_ERRORS) else NO_ANSWER


def _resolve_all(waiters: Iterable[asyncio.Future[None]]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
