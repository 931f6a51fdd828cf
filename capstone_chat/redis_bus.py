"""The bus of many processes: what one of them publishes, the hubs of the others hear through Redis.

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

from capstone_chat import bus, protocol
from capstone_chat.bus import Listener
from capstone_chat.elsewhere import ROLL_CALL, SILENCE, Elsewhere
from capstone_chat.options import OptionError

log = logging.getLogger(__name__)

ANSWER_WITHIN = 3.0
"""Seconds in which Redis must take a connection and answer a command."""

AGAIN_AFTER = 0.25
"""Seconds from one attempt to reach Redis to the next."""

QUEUE = 100_000
"""Lines that wait for Redis at the most; what is beyond is lost, and healed by the heads."""

LIVE = b"live"
"""What comes back when all topics are heard."""

PEOPLE = "people"
"""The topic of who is connected where."""

ID = 16
"""Bytes in front of what a process publishes: who it is, so that it does not hear itself."""

Lost = (redis.exceptions.RedisError, OSError)


class RedisBus:
    """Carries events and orders to the hubs of all processes that know the same secret.

    A hub tells it which topics its sockets hear; of these only conversations and users are known
    outside the process. Who is online is worked out in each process, see `Elsewhere`.

    Args:
        listener: this process's hub: it hears at once what is published here.
        secret: chats that share a Redis and no secret know nothing of each other.
    """

    def __init__(self, listener: Listener, url: str, secret: str) -> None:
        self._listener = listener
        try:
            self._redis = redis.asyncio.Redis.from_url(
                url,
                protocol=2,
                socket_connect_timeout=ANSWER_WITHIN,
                socket_timeout=ANSWER_WITHIN,
                # Published twice is worse than lost: a failure ends the connection, see `_stay`.
                retry=redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0),
            )
        except ValueError as error:
            raise OptionError(f"--redis: {error}") from None
        self._prefix = hmac.digest(secret.encode(), b"bus", hashlib.sha256).hex()[:ID] + ":"
        self._me = secrets.token_hex(ID // 2).encode()
        self._heard: set[str] = set()
        self._subscribed: set[str] = set()
        self._changes: set[str] = set()
        self._changed = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._asked: dict[bytes, list[asyncio.Future[None]]] = {}
        self._outgoing: list[dict[str, list[bytes]]] = [{}]
        self._queued = 0
        self._something = asyncio.Event()
        self._sending = asyncio.Lock()
        self._recalls: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()
        self.elsewhere = Elsewhere(self._tell_presence)
        self.sent = 0
        """Publications that Redis has taken."""
        self.received = 0
        """Publications of other processes."""

    async def open(self) -> None:
        """Connect.

        Raises:
            OptionError: Redis cannot be reached, or does not let this process in.
        """
        try:
            await self._redis.ping()
        except Lost as error:
            await self._redis.aclose()
            raise OptionError(f"--redis: {error}") from None
        self._task = asyncio.create_task(self._stay())
        await self._connected.wait()

    async def close(self) -> None:
        """Say goodbye to the other processes and let go."""
        if self._task is not None:
            self._say({"bye": True})
            self._connected.clear()  # nothing is said after that
            try:
                await asyncio.wait_for(self._flush(), ANSWER_WITHIN)
            except Lost as error:
                log.warning("no goodbye to the other processes: %s", error)
            task, self._task = self._task, None  # seen by whom the cancellation does not reach:
            task.cancel()  # asyncio.wait_for, in redis-py, forgets one when it is done just then
            await asyncio.wait([task])
        await self._redis.aclose()

    def problem(self) -> str | None:
        """Return why other processes are not heard, or None."""
        return None if self._connected.is_set() else "redis does not answer"

    def publish(self, topic: str, payload: bytes, *, hint: bool = False) -> None:
        """Send an event to the sockets of a topic, here at once."""
        self._listener.hear(topic, payload, hint=hint)
        if bus.is_shared(topic):
            self._queue(topic, (b"h" if hint else b"e") + payload)

    def order(self, topic: str, order: dict[str, Any]) -> None:
        """Tell every hub something about the sockets of a topic, this one at once."""
        self._obey(topic, order)
        # What is said before an order is heard before it, and what is said after it after it.
        self._outgoing += [{}] if self._outgoing[-1] else []
        self._queue(topic, b"o" + json.dumps(order).encode())
        self._outgoing += [{}] if self._outgoing[-1] else []

    def listen(self, topic: str) -> None:
        """Hear a topic from other processes: a socket here does so from now on."""
        if bus.is_shared(topic):
            self._heard.add(topic)
            self._note_change(topic, "came")

    def ignore(self, topic: str) -> None:
        """Hear a topic no longer: no socket here does."""
        if bus.is_shared(topic):
            self._heard.discard(topic)
            self._note_change(topic, "went")

    async def settled(self) -> None:
        """Wait until the topics that the hub has named are heard; not for a Redis that is away."""
        if self._connected.is_set() and (self._changes or self._asked):
            self._waiting.append(done := asyncio.get_running_loop().create_future())
            self._changed.set()
            await done

    def _note_change(self, topic: str, change: str) -> None:
        self._changes.add(topic)
        self._changed.set()
        if (user_id := bus.user_of(topic)) is not None:
            self._say({change: user_id})

    def _queue(self, topic: str, line: bytes) -> None:
        if self._connected.is_set() and self._queued < QUEUE:
            self._queued += 1
            self._outgoing[-1].setdefault(topic, []).append(line)
            self._something.set()

    def _say(self, what: dict[str, Any]) -> None:
        self._queue(PEOPLE, json.dumps(what).encode())

    async def _stay(self) -> None:
        """Be connected, for ever: whatever fails, all begins anew."""
        while self._task is not None:
            try:
                async with self._redis.pubsub() as pubsub:
                    await self._live(pubsub)
            except* Exception as errors:  # a mistake, too, must not keep the others away for ever
                if self._connected.is_set():
                    log.error("other processes are not heard: %s", errors.exceptions)
            self._connected.clear()
            await self._redis.connection_pool.disconnect()
            self._outgoing, self._queued = [{}], 0
            _release(done for every in (self._waiting, *self._asked.values()) for done in every)
            self._waiting, self._asked = [], {}
            await asyncio.sleep(AGAIN_AFTER)

    async def _live(self, pubsub: PubSub) -> None:
        self._changes.clear()
        self._subscribed = set(self._heard)
        await pubsub.subscribe(*map(self._channel, [PEOPLE, *self._subscribed]))
        await pubsub.ping(LIVE)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear(pubsub))
            tasks.create_task(self._subscribe(pubsub))
            tasks.create_task(self._send())
            tasks.create_task(self._call())

    async def _hear(self, pubsub: PubSub) -> None:
        while self._task is not None:
            message = await pubsub.get_message(timeout=SILENCE)
            if message is None:
                raise redis.exceptions.TimeoutError("Redis is silent")
            if message["type"] == "pong" and message["data"] == LIVE:
                self._connected.set()
            elif message["type"] == "pong":
                _release(self._asked.pop(message["data"], []))
            elif message["type"] == "message":
                sender, data = message["data"][:ID], message["data"][ID:]
                if sender != self._me:
                    self.received += 1
                    self._take(message["channel"].decode().removeprefix(self._prefix), sender, data)

    async def _subscribe(self, pubsub: PubSub) -> None:
        while self._task is not None:
            await self._changed.wait()
            self._changed.clear()
            changes, self._changes = self._changes, set()
            new = (changes & self._heard) - self._subscribed
            old = (changes & self._subscribed) - self._heard
            self._subscribed = (self._subscribed | new) - old
            number = secrets.token_bytes(8)
            self._asked[number], self._waiting = self._waiting, []
            if new:
                await pubsub.subscribe(*map(self._channel, new))
            if old:
                await pubsub.unsubscribe(*map(self._channel, old))
            await pubsub.ping(number)  # answered after all that was asked before

    async def _send(self) -> None:
        while self._task is not None:
            await self._something.wait()
            self._something.clear()
            await self._flush()

    async def _flush(self) -> None:
        async with self._sending:  # a goodbye does not overtake what is under way
            outgoing, self._outgoing, self._queued = self._outgoing, [{}], 0
            pipeline = self._redis.pipeline(transaction=False)
            for batch in outgoing:
                for topic, lines in batch.items():
                    pipeline.publish(self._channel(topic), self._me + b"\n".join(lines))
            self.sent += len(await pipeline.execute())

    async def _call(self) -> None:
        await self._connected.wait()
        self.elsewhere.wait_anew()
        self._say({"who": True})
        while True:
            self._say_who_is_here()
            await asyncio.sleep(ROLL_CALL)
            self.elsewhere.forget_the_silent()

    def _say_who_is_here(self) -> None:
        self._say({"all": [id_ for id_ in map(bus.user_of, self._heard) if id_ is not None]})

    def _take(self, topic: str, sender: bytes, data: bytes) -> None:
        for line in data.split(b"\n"):
            try:
                if topic == PEOPLE:
                    self._note_people(sender, json.loads(line))
                elif line[:1] == b"o":
                    self._obey(topic, json.loads(line[1:]))
                else:
                    self._listener.hear(topic, line[1:], hint=line[:1] == b"h")
            except Exception:  # one line must not keep back the others
                log.exception("a line of another process was not understood")

    def _note_people(self, sender: bytes, said: dict[str, Any]) -> None:
        self.elsewhere.hear(sender, said)
        if "who" in said:
            self._say_who_is_here()

    def _obey(self, topic: str, order: dict[str, Any]) -> None:
        self._listener.obey(topic, order)
        if "enter" in order and topic in self._heard and self._changes:
            recall = asyncio.ensure_future(self._recall(topic))
            self._recalls.add(recall)
            recall.add_done_callback(self._recalls.discard)

    async def _recall(self, topic: str) -> None:
        """What was said in a new topic before it is heard here is in the heads."""
        await self.settled()
        self._listener.obey(topic, {"heads": True})

    def _tell_presence(self, user_id: int, online: bool) -> None:
        if bus.user(user_id) not in self._heard:
            event = {"type": "presence", "user": user_id, "online": online}
            self._listener.hear(bus.presence(user_id), protocol.encode(event), hint=True)

    def _channel(self, topic: str) -> str:
        return self._prefix + topic


def _release(waiting: Iterable[asyncio.Future[None]]) -> None:
    for done in waiting:
        if not done.done():
            done.set_result(None)
