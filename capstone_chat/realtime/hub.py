"""The connections of this process, and the delivery of events to them.

A write to a socket costs more than all the rest of a delivery. So an event is framed once for all
members, what a turn of the loop brings for a conversation is joined once, and each socket gets one
write a turn. A loop with little to do still sends at once.
"""

import asyncio
from collections.abc import Container, Iterable
from typing import Any, Protocol

from capstone_chat.realtime import protocol


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

    def disconnect(self, code: int, reason: str) -> None:
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
        self._replies: dict[Connection, list[bytes]] = {}
        self._events: dict[str, list[bytes]] = {}
        self._volatile: dict[str, list[bytes]] = {}
        self._flushing = False
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

    def __contains__(self, socket: object) -> bool:
        return socket in self._subscriptions

    def register(self, socket: Connection, topics: Iterable[str]) -> None:
        """Register a new connection and subscribe it to its user's topic.

        Control messages to this topic may subscribe and unsubscribe it while its other topics are
        read from the database; `complete_subscriptions` follows.
        """
        self.subscribe(socket, topics)
        self._unsubscribed_early[socket] = set()

    def complete_subscriptions(self, socket: Connection, topics: Iterable[str]) -> None:
        """Subscribe a new connection to topics, but for those that it was unsubscribed from
        since."""
        self.subscribe(socket, set(topics) - self._unsubscribed_early.pop(socket))

    def subscribe(self, socket: Connection, topics: Iterable[str]) -> None:
        """Subscribe a connection to topics."""
        subscribed = self._subscriptions.setdefault(socket, set())
        for topic in topics:
            self._unsubscribed_early.get(socket, set()).discard(topic)
            subscribed.add(topic)
            if self.carrier and topic not in self._subscribers:
                self.carrier.subscribe(topic)
            self._subscribers.setdefault(topic, set()).add(socket)

    def unsubscribe(self, socket: Connection, topics: Iterable[str]) -> None:
        """Unsubscribe a connection from topics."""
        subscribed = self._subscriptions.get(socket, set())
        for topic in topics:
            self._unsubscribed_early.get(socket, set()).add(topic)
            subscribed.discard(topic)
            subscribers = self._subscribers.get(topic, set())
            subscribers.discard(socket)
            if not subscribers and self._subscribers.pop(topic, None) is not None and self.carrier:
                self.carrier.unsubscribe(topic)

    def unregister(self, socket: Connection) -> None:
        """Remove a connection that has closed."""
        self.unsubscribe(socket, list(self._subscriptions.get(socket, ())))
        self._subscriptions.pop(socket, None)
        self._unsubscribed_early.pop(socket, None)
        self._replies.pop(socket, None)

    def subscriptions(self, socket: Connection, kind: str) -> set[str]:
        """Return the topics of a kind that a connection is subscribed to."""
        return {
            topic for topic in self._subscriptions.get(socket, ()) if topic.startswith(kind + ":")
        }

    def reconcile(self, socket: Connection, before: set[str], now: set[str]) -> None:
        """Replace the subscriptions that a connection had before a read by the topics that
        were read.

        Another process may have changed them while its messages did not arrive.
        """
        if socket in self._subscriptions:
            self.unsubscribe(socket, before - now)
            self.subscribe(socket, now - before)

    def is_subscribed(self, socket: Connection, topic: str) -> bool:
        """Return whether a connection is subscribed to a topic."""
        return topic in self._subscriptions.get(socket, ())

    def subscriber_count(self, topic: str) -> int:
        """Return how many connections are subscribed to a topic."""
        return len(self._subscribers.get(topic, ()))

    def visible_online(self, socket: Connection) -> list[int]:
        """Return the ids of the users who are online and whose presence a connection may see."""
        watched = (topic.partition(":") for topic in self._subscriptions.get(socket, ()))
        return [int(id_) for kind, _, id_ in watched if kind == "presence" and self.is_online(id_)]

    def is_online(self, user_id: int | str) -> bool:
        """Return whether a user has an open connection, here or in another process."""
        return f"user:{user_id}" in self._subscribers or bool(
            self.carrier and int(user_id) in self.carrier.presence
        )

    def send_to(self, socket: Connection, payload: bytes) -> None:
        """Send an event to one connection, before what is delivered in this turn of the loop."""
        if socket in self._subscriptions:
            self._replies.setdefault(socket, []).append(protocol.encode_text_frame(payload))
            self._flush_soon()

    def deliver(self, topic: str, payload: bytes, *, volatile: bool = False) -> None:
        """Deliver an event to the subscribers of a topic; a volatile one not to those with a
        backlog."""
        if topic in self._subscribers:
            waiting = self._volatile if volatile else self._events
            waiting.setdefault(topic, []).append(protocol.encode_text_frame(payload))
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
        for socket in list(self._subscribers.get(topic, ())):
            self.subscribe(socket, order.get("enter", ()))
            self.unsubscribe(socket, order.get("leave", ()))
            if socket.session_id in order.get("end_sessions", ()):
                socket.disconnect(protocol.SESSION_ENDED, "session ended")
            elif "renew" in order:
                socket.refresh_user()
            elif "heads" in order:
                socket.schedule_resync()

    def shutdown(self) -> None:
        """Close every connection with 1001."""
        self.draining = self.is_shut_down = True
        for socket in list(self._subscriptions):
            socket.disconnect(protocol.GOING_AWAY, "server is going away")

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        outgoing, self._replies = self._replies, {}
        events, self._events = self._events, {}
        hints, self._volatile = self._volatile, {}
        for topic, frames in events.items():
            joined = b"".join(frames)
            subscribers = self._subscribers.get(topic, ())
            self.delivered += len(frames) * len(subscribers)
            for socket in subscribers:
                outgoing.setdefault(socket, []).append(joined)
        for topic, frames in hints.items():
            joined = b"".join(frames)
            for socket in self._subscribers.get(topic, ()):
                if not socket.has_backlog():
                    outgoing.setdefault(socket, []).append(joined)
        for socket, parts in outgoing.items():
            socket.send(parts[0] if len(parts) == 1 else b"".join(parts))
