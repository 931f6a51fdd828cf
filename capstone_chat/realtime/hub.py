"""The connections of this process, and the delivery of events to them.

A write to a socket costs more than all the rest of a delivery. So an event is framed once for all
members, what a turn of the loop brings for a conversation is joined once, and each socket gets one
write a turn. A loop with little to do still sends at once.
"""

import asyncio
from collections.abc import Container, Iterable
from typing import Any, Protocol

from capstone_chat.realtime import protocol
from capstone_chat.realtime.protocol import CloseCode


class Connection(Protocol):
    """An open WebSocket, as the hub sees it."""

    session_id: int

    def send(self, data: bytes) -> None:
        """Write frames; never waits and never raises."""

    def has_backlog(self) -> bool:
        """Return whether its client has not yet taken what was written before."""

    def refresh_user(self) -> None:
        """Read the user of this connection from the database again."""

    def schedule_resync(self) -> None:
        """Send the heads soon, because the client may have missed something."""

    def disconnect(self, code: CloseCode, reason: str) -> None:
        """Close it."""


class Carrier(Protocol):
    """Connects the hub with other processes."""

    @property
    def presence(self) -> Container[int]:
        """The ids of users who are online in another process."""

    def subscribe(self, topic: str) -> None:
        """Receive a topic from other processes: the first connection here has subscribed."""

    def unsubscribe(self, topic: str) -> None:
        """Receive it no longer: the last connection has unsubscribed."""


class Hub:
    """The connections of this process, and the topics that they are subscribed to."""

    def __init__(self) -> None:
        self._subscribers: dict[str, set[Connection]] = {}
        self._subscriptions: dict[Connection, set[str]] = {}
        self._unsubscribed_early: dict[Connection, set[str]] = {}
        self._direct: dict[Connection, list[bytes]] = {}
        self._events: dict[str, list[bytes]] = {}
        self._volatile: dict[str, list[bytes]] = {}
        self._flush_scheduled = False
        self.carrier: Carrier | None = None
        """The link to other processes; None for a process on its own."""
        self.draining = False
        """The server is about to stop: no new visitor should be sent here."""
        self.is_shut_down = False
        """Every connection has been closed with 1001."""
        self.delivered = 0
        """Number of events that were written to connections."""

    def __len__(self) -> int:
        return len(self._subscriptions)

    def __contains__(self, connection: object) -> bool:
        return connection in self._subscriptions

    def register(self, connection: Connection, topics: Iterable[str]) -> None:
        """Register a new connection and subscribe it to its user's topic.

        Control messages to this topic may subscribe and unsubscribe it while its other topics are
        read from the database; `complete_subscriptions` follows.
        """
        self.subscribe(connection, topics)
        self._unsubscribed_early[connection] = set()

    def complete_subscriptions(self, connection: Connection, topics: Iterable[str]) -> None:
        """Subscribe a new connection to topics, but for those that it was unsubscribed from
        since."""
        self.subscribe(connection, set(topics) - self._unsubscribed_early.pop(connection))

    def subscribe(self, connection: Connection, topics: Iterable[str]) -> None:
        """Subscribe a connection to topics."""
        subscribed = self._subscriptions.setdefault(connection, set())
        for topic in topics:
            self._unsubscribed_early.get(connection, set()).discard(topic)
            subscribed.add(topic)
            if self.carrier and topic not in self._subscribers:
                self.carrier.subscribe(topic)
            self._subscribers.setdefault(topic, set()).add(connection)

    def unsubscribe(self, connection: Connection, topics: Iterable[str]) -> None:
        """Unsubscribe a connection from topics."""
        subscribed = self._subscriptions.get(connection, set())
        for topic in topics:
            self._unsubscribed_early.get(connection, set()).add(topic)
            subscribed.discard(topic)
            subscribers = self._subscribers.get(topic, set())
            subscribers.discard(connection)
            if not subscribers and self._subscribers.pop(topic, None) is not None and self.carrier:
                self.carrier.unsubscribe(topic)

    def unregister(self, connection: Connection) -> None:
        """Remove a connection that has closed."""
        self.unsubscribe(connection, list(self._subscriptions.get(connection, ())))
        self._subscriptions.pop(connection, None)
        self._unsubscribed_early.pop(connection, None)
        self._direct.pop(connection, None)

    def subscriptions(self, connection: Connection, kind: str) -> set[str]:
        """Return the topics of a kind that a connection is subscribed to."""
        return {
            topic
            for topic in self._subscriptions.get(connection, ())
            if topic.startswith(kind + ":")
        }

    def reconcile(self, connection: Connection, before: set[str], now: set[str]) -> None:
        """Replace the subscriptions that a connection had before a read by the topics that
        were read.

        Another process may have changed them while its messages did not arrive.
        """
        if connection in self._subscriptions:
            self.unsubscribe(connection, before - now)
            self.subscribe(connection, now - before)

    def is_subscribed(self, connection: Connection, topic: str) -> bool:
        """Return whether a connection is subscribed to a topic."""
        return topic in self._subscriptions.get(connection, ())

    def subscriber_count(self, topic: str) -> int:
        """Return how many connections are subscribed to a topic."""
        return len(self._subscribers.get(topic, ()))

    def visible_online(self, connection: Connection) -> list[int]:
        """Return the ids of the users who are online and whose presence a connection may see."""
        topics = (topic.partition(":") for topic in self._subscriptions.get(connection, ()))
        return [int(id_) for kind, _, id_ in topics if kind == "presence" and self.is_online(id_)]

    def is_online(self, user_id: int | str) -> bool:
        """Return whether a user has an open connection, here or in another process."""
        return f"user:{user_id}" in self._subscribers or bool(
            self.carrier and int(user_id) in self.carrier.presence
        )

    def send_to(self, connection: Connection, payload: bytes) -> None:
        """Send an event to one connection, before what is delivered in this turn of the loop."""
        if connection in self._subscriptions:
            self._direct.setdefault(connection, []).append(protocol.encode_text_frame(payload))
            self._flush_soon()

    def deliver(self, topic: str, payload: bytes, *, volatile: bool = False) -> None:
        """Deliver an event to the subscribers of a topic; a volatile one not to those with a
        backlog."""
        if topic in self._subscribers:
            queued = self._volatile if volatile else self._events
            queued.setdefault(topic, []).append(protocol.encode_text_frame(payload))
            self._flush_soon()

    def handle_control(self, topic: str, order: dict[str, Any]) -> None:
        """Carry out a control message for the subscribers of a topic.

        Args:
            topic: usually that of a user.
            order: `enter` and `leave` name topics to subscribe to and to unsubscribe from,
                `end_sessions` the sessions whose connections are closed; `renew` and `heads`
                make the
                others look up their user again, or compare heads.
        """
        if "leave" in order:
            self._flush()  # who is unsubscribed still gets what was published before
        for connection in list(self._subscribers.get(topic, ())):
            self.subscribe(connection, order.get("enter", ()))
            self.unsubscribe(connection, order.get("leave", ()))
            if connection.session_id in order.get("end_sessions", ()):
                connection.disconnect(CloseCode.SESSION_ENDED, "session ended")
            elif "renew" in order:
                connection.refresh_user()
            elif "heads" in order:
                connection.schedule_resync()

    def shutdown(self) -> None:
        """Close every connection with 1001."""
        self.draining = self.is_shut_down = True
        for connection in list(self._subscriptions):
            connection.disconnect(CloseCode.GOING_AWAY, "server is going away")

    def _flush_soon(self) -> None:
        if not self._flush_scheduled:
            self._flush_scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
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
