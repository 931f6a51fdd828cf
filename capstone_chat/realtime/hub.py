"""The hub: connections of this process, their subscriptions, and the delivery of events to them.

A write to a socket costs more than all other steps of a delivery. So each event is framed once for
all subscribers, the frames that one turn of the event loop brings for a topic are joined once, and
each connection gets one write per turn. When the event loop has little to do, turns are short, so
the delay is small.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from capstone_chat.realtime import protocol, topics
from capstone_chat.realtime.broker import Broker
from capstone_chat.realtime.control import (
    ControlMessage,
    DisconnectSessions,
    RefreshUser,
    Resync,
    Subscribe,
    Unsubscribe,
)
from capstone_chat.realtime.presence import Presence
from capstone_chat.realtime.protocol import CloseCode
from capstone_chat.realtime.topics import Kind, Topic


class Connection(Protocol):
    """An open WebSocket, as the hub sees it."""

    session_id: int
    user_id: int
    address: str
    """The network under which the connection is counted, see `rate_limiter.network_key`."""

    def send(self, data: bytes) -> None:
        """Write encoded frames. Never waits and never raises."""

    def has_backlog(self) -> bool:
        """Return whether the client has not yet taken all bytes that were written."""

    def handle_control(self, message: RefreshUser | Resync) -> None:
        """Carry out a control message that needs a read from the database."""

    def disconnect(self, code: CloseCode, reason: str) -> None:
        """Unregister the connection and send a close frame with this code."""


class Hub:
    """Delivers published events to the subscribed connections of this process.

    Services and handlers publish to the hub. It hands events and control messages to the broker as
    well if connections of other processes may be subscribed to their topic.

    Args:
        broker: carries events to other processes; None for a process on its own.
    """

    def __init__(self, broker: Broker | None = None) -> None:
        self.broker = broker
        self.presence = broker.presence if broker else Presence()
        """Which users are online: those of this process, and with a broker those of all."""
        self._subscribers: dict[Topic, set[Connection]] = {}
        self._subscriptions: dict[Connection, set[Topic]] = {}
        # Topics from which a connection was unsubscribed before `complete_subscriptions`.
        self._unsubscribed_early: dict[Connection, set[Topic]] = {}
        # Topics of events that came while any connection was in that state.
        self._published_early: set[Topic] = set()
        self._connections_by_address: Counter[str] = Counter()
        # Frames that `flush` writes: for one connection, for a topic, and volatile ones.
        self._direct: dict[Connection, list[bytes]] = {}
        self._events: dict[Topic, list[bytes]] = {}
        self._volatile: dict[Topic, list[bytes]] = {}
        self._flush_scheduled = False
        self._resync_tasks: set[asyncio.Task[None]] = set()
        self.draining = False
        """Whether the process is about to stop. /readyz then answers 503; connections stay open."""
        self.is_shut_down = False
        """Whether `shutdown` was called. New connections are closed at once."""
        self.delivered = 0
        """Number of deliveries, without volatile events.

        An event that three connections receive counts as three.
        """

    async def start(self) -> None:
        """Start the broker, if there is one. Called before the first connection is registered.

        Raises:
            OptionError: the broker cannot be reached.
        """
        if self.broker:
            await self.broker.start(self)

    async def close(self) -> None:
        """Close the broker, if there is one. Called after `shutdown`."""
        if self.broker:
            await self.broker.close()

    def unhealthy_reason(self) -> str | None:
        """Return the reason why other processes cannot be reached, or None."""
        return self.broker.unhealthy_reason() if self.broker else None

    def __len__(self) -> int:
        return len(self._subscriptions)

    def __contains__(self, connection: object) -> bool:
        return connection in self._subscriptions

    def register(self, connection: Connection) -> None:
        """Register a new connection and subscribe it to its user's topic.

        Control messages to the user then reach the connection while its other topics are read from
        the database. Call `complete_subscriptions` next.
        """
        self.subscribe(connection, [topics.user(connection.user_id)])
        self.presence.here.add(connection.user_id)
        self._unsubscribed_early[connection] = set()
        self._connections_by_address[connection.address] += 1

    def complete_subscriptions(self, connection: Connection, wanted: Iterable[Topic]) -> bool:
        """Subscribe a new connection to the topics that were read from the database.

        Topics from which a control message has unsubscribed the connection since `register` are
        left out, because the read may be older than that message.

        Returns:
            Whether that read may be too old: since `register` this process has published an event
            to the user or of one of the topics, or a control message has changed the topics. With a
            broker the answer is always yes, because the broker begins to subscribe only now.
        """
        found = set(wanted)
        relevant = {topics.user(connection.user_id), *found}
        outdated = (
            self.broker is not None
            or bool(self._unsubscribed_early[connection] or self.subscriptions(connection, "conv"))
            or not relevant.isdisjoint(self._published_early)
        )
        self.subscribe(connection, found - self._unsubscribed_early[connection])
        self._end_opening(connection)
        return outdated

    def _end_opening(self, connection: Connection) -> None:
        self._unsubscribed_early.pop(connection, None)
        if not self._unsubscribed_early:
            self._published_early.clear()

    def subscribe(self, connection: Connection, wanted: Iterable[Topic]) -> None:
        """Subscribe a connection to topics.

        If a topic had no subscriber in this process, the broker subscribes to it, too.
        """
        subscribed = self._subscriptions.setdefault(connection, set())
        for topic in wanted:
            self._unsubscribed_early.get(connection, set()).discard(topic)
            subscribed.add(topic)
            if topic not in self._subscribers:
                self._subscribers[topic] = set()
                if self.broker:
                    self.broker.subscribe(topic)
            self._subscribers[topic].add(connection)

    def unsubscribe(self, connection: Connection, unwanted: Iterable[Topic]) -> None:
        """Unsubscribe a connection from topics.

        If a topic has no other subscriber in this process, the broker unsubscribes from it, too.
        """
        subscribed = self._subscriptions.get(connection, set())
        for topic in unwanted:
            self._unsubscribed_early.get(connection, set()).add(topic)
            subscribed.discard(topic)
            subscribers = self._subscribers.get(topic, set())
            subscribers.discard(connection)
            is_last = not subscribers and self._subscribers.pop(topic, None) is not None
            if is_last and self.broker:
                self.broker.unsubscribe(topic)

    def unregister(self, connection: Connection) -> None:
        """Remove a connection and its subscriptions. Idempotent."""
        if connection not in self._subscriptions:
            return
        self.unsubscribe(connection, list(self._subscriptions[connection]))
        if topics.user(connection.user_id) not in self._subscribers:
            self.presence.here.discard(connection.user_id)
        del self._subscriptions[connection]
        self._end_opening(connection)
        self._direct.pop(connection, None)
        self._connections_by_address[connection.address] -= 1
        if not self._connections_by_address[connection.address]:
            del self._connections_by_address[connection.address]

    async def wait_subscribed(self) -> None:
        """Wait until the broker has confirmed the subscriptions of all connections."""
        if self.broker:
            await self.broker.wait_subscribed()

    def subscriptions(self, connection: Connection, kind: Kind) -> set[Topic]:
        """Return the topics of a kind to which a connection is subscribed."""
        return {topic for topic in self._subscriptions.get(connection, ()) if topic.kind == kind}

    def reconcile(self, connection: Connection, before: set[Topic], now: set[Topic]) -> None:
        """Correct the subscriptions of a connection by a read from the database.

        A subscription that was added or removed during the read is kept.

        Args:
            connection: the connection; without effect if it is not registered any more.
            before: its subscriptions of one kind, before the read.
            now: the topics of the same kind that the read has found.
        """
        if connection in self._subscriptions:
            self.unsubscribe(connection, before - now)
            self.subscribe(connection, now - before)

    def subscriber_count(self, topic: Topic) -> int:
        """Return the number of connections of this process that are subscribed to a topic."""
        return len(self._subscribers.get(topic, ()))

    def connections_from(self, address: str) -> int:
        """Return the number of connections of this process with this `Connection.address`."""
        return self._connections_by_address[address]

    def publish(self, topic: Topic, event: Mapping[str, Any]) -> None:
        """Publish an event to the subscribers of a topic, in all processes.

        Args:
            topic: the topic.
            event: the event, as PROTOCOL.md specifies it.
        """
        payload = protocol.encode(event)
        volatile = event["type"] in protocol.VOLATILE
        self.deliver(topic, payload, volatile=volatile)
        if self.broker:
            self.broker.publish(topic, payload, volatile=volatile)

    def send_control(self, topic: Topic, message: ControlMessage) -> None:
        """Send a control message to the subscribers of a topic, in all processes.

        Args:
            topic: the topic, in most cases that of a user.
            message: the instruction to the connections.
        """
        self.handle_control(topic, message)
        if self.broker:
            self.broker.send_control(topic, message)

    def send_to(self, connection: Connection, event: Mapping[str, Any]) -> None:
        """Send an event to one connection, if it is registered.

        The event precedes all events that are delivered in the same turn of the event loop. So an
        ack arrives before the event of its message.
        """
        if connection in self._subscriptions:
            frame = protocol.encode_text_frame(protocol.encode(event))
            self._direct.setdefault(connection, []).append(frame)
            self._flush_soon()

    def deliver(self, topic: Topic, payload: bytes, *, volatile: bool) -> None:
        """Deliver an event to the subscribers of a topic in this process.

        Args:
            topic: the topic.
            payload: the event as JSON.
            volatile: whether the event is dropped for connections with a backlog.
        """
        if self._unsubscribed_early:
            self._published_early.add(topic)
        if topic in self._subscribers:
            queued = self._volatile if volatile else self._events
            queued.setdefault(topic, []).append(protocol.encode_text_frame(payload))
            self._flush_soon()

    def handle_control(self, topic: Topic, message: ControlMessage) -> None:
        """Carry out a control message for the subscribers of a topic in this process."""
        if isinstance(message, Unsubscribe):
            self.flush()  # the connections get the events that were published before
        if isinstance(message, Subscribe) and self._is_new_to_broker(topic, message.topics):
            # Events that are published before the broker's subscription takes effect are missed.
            task = asyncio.ensure_future(self._resync_when_subscribed(topic))
            self._resync_tasks.add(task)
            task.add_done_callback(self._resync_tasks.discard)
        for connection in list(self._subscribers.get(topic, ())):
            match message:
                case Subscribe(topics=new):
                    self.subscribe(connection, new)
                case Unsubscribe(topics=old):
                    self.unsubscribe(connection, old)
                case DisconnectSessions(session_ids=ended):
                    if connection.session_id in ended:
                        connection.disconnect(CloseCode.SESSION_ENDED, "session ended")
                case RefreshUser() | Resync():
                    connection.handle_control(message)

    def _is_new_to_broker(self, topic: Topic, new: list[Topic]) -> bool:
        return (
            self.broker is not None
            and topic in self._subscribers
            and any(one not in self._subscribers for one in new)
        )

    async def _resync_when_subscribed(self, topic: Topic) -> None:
        await self.wait_subscribed()
        self.handle_control(topic, Resync())

    def shutdown(self) -> None:
        """Set `draining` and `is_shut_down`; close all connections with 1001 (going away)."""
        self.draining = self.is_shut_down = True
        for connection in list(self._subscriptions):
            connection.disconnect(CloseCode.GOING_AWAY, "server is going away")

    def hold(self) -> None:
        """Write nothing until `flush` is called in the same turn of the event loop.

        The events of a commit are thus written without waiting for another turn.
        """
        self._flush_scheduled = True

    def _flush_soon(self) -> None:
        if not self._flush_scheduled:
            self._flush_scheduled = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write all that is queued, once to each connection."""
        self._flush_scheduled = False
        outgoing, self._direct = self._direct, {}
        events, self._events = self._events, {}
        volatile, self._volatile = self._volatile, {}
        for topic, frames in events.items():
            joined = b"".join(frames)
            subscribers = self._subscribers.get(topic, ())
            self.delivered += len(frames) * len(subscribers)
            for connection in subscribers:
                outgoing.setdefault(connection, []).append(joined)
        for topic, frames in volatile.items():
            joined = b"".join(frames)
            for connection in self._subscribers.get(topic, ()):
                if not connection.has_backlog():
                    outgoing.setdefault(connection, []).append(joined)
        for connection, parts in outgoing.items():
            connection.send(parts[0] if len(parts) == 1 else b"".join(parts))
