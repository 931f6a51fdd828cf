"""Who is connected here, and how an event reaches them.

A write to a socket costs more than all the rest of a delivery. So an event is framed once for all
members, what a turn of the loop brings for a conversation is joined once, and each socket gets one
write a turn. A loop with little to do still sends at once.
"""

import asyncio
from collections.abc import Container, Iterable
from typing import Any, Protocol

from capstone_chat import protocol


class Socket(Protocol):
    """An open socket, as the hub sees it."""

    session_id: int

    def send(self, data: bytes) -> None:
        """Write frames; never waits and never raises."""

    def is_behind(self) -> bool:
        """Tell whether what was written before still waits for a slow reader."""

    def renew(self) -> None:
        """Look again at who the user is."""

    def look_again(self) -> None:
        """Tell the client the heads: something may have been missed."""

    def end(self, code: int, reason: str) -> None:
        """Close it."""


class Carrier(Protocol):
    """What brings topics here from other processes."""

    @property
    def elsewhere(self) -> Container[int]:
        """The users who are online in another process."""

    def listen(self, topic: str) -> None:
        """A first socket hears a topic."""

    def ignore(self, topic: str) -> None:
        """The last socket hears it no longer."""


class Hub:
    """The sockets of this process, by the topics that they hear."""

    def __init__(self) -> None:
        self._hearing: dict[str, set[Socket]] = {}
        self._topics: dict[Socket, set[str]] = {}
        self._left: dict[Socket, set[str]] = {}
        self._replies: dict[Socket, list[bytes]] = {}
        self._events: dict[str, list[bytes]] = {}
        self._hints: dict[str, list[bytes]] = {}
        self._flushing = False
        self.carrier: Carrier | None = None
        """What is told which topics are heard here; None for a process on its own."""
        self.draining = False
        """The server is on its way out: nobody new is to be sent here."""
        self.closed = False
        """Every client has been told that the server goes away."""
        self.delivered = 0
        """Events that were written to sockets."""

    def __len__(self) -> int:
        return len(self._topics)

    def __contains__(self, socket: Socket) -> bool:
        return socket in self._topics

    def begin(self, socket: Socket, topics: Iterable[str]) -> None:
        """Let a new socket hear its user's topic, and so what it is to hear or no longer to hear
        while the rest is looked up; `settle` follows."""
        self.enter(socket, topics)
        self._left[socket] = set()

    def settle(self, socket: Socket, topics: Iterable[str]) -> None:
        """Let a new socket hear what was looked up, but for what it has left meanwhile."""
        self.enter(socket, set(topics) - self._left.pop(socket))

    def enter(self, socket: Socket, topics: Iterable[str]) -> None:
        """Let a socket hear topics from now on."""
        heard = self._topics.setdefault(socket, set())
        for topic in topics:
            self._left.get(socket, set()).discard(topic)
            heard.add(topic)
            if self.carrier and topic not in self._hearing:
                self.carrier.listen(topic)
            self._hearing.setdefault(topic, set()).add(socket)

    def leave(self, socket: Socket, topics: Iterable[str]) -> None:
        """Let a socket hear topics no longer."""
        heard = self._topics.get(socket, set())
        for topic in topics:
            self._left.get(socket, set()).add(topic)
            heard.discard(topic)
            hearing = self._hearing.get(topic, set())
            hearing.discard(socket)
            if not hearing and self._hearing.pop(topic, None) is not None and self.carrier:
                self.carrier.ignore(topic)

    def drop(self, socket: Socket) -> None:
        """Forget a socket that has closed."""
        self.leave(socket, list(self._topics.get(socket, ())))
        self._topics.pop(socket, None)
        self._left.pop(socket, None)
        self._replies.pop(socket, None)

    def topics(self, socket: Socket, kind: str) -> set[str]:
        """Return the topics of a kind that a socket hears."""
        return {topic for topic in self._topics.get(socket, ()) if topic.startswith(kind + ":")}

    def correct(self, socket: Socket, before: set[str], now: set[str]) -> None:
        """Let a socket that heard some topics before these were looked up hear just these now:
        another process may have changed them while nothing came from there."""
        if socket in self._topics:
            self.leave(socket, before - now)
            self.enter(socket, now - before)

    def hears(self, socket: Socket, topic: str) -> bool:
        """Tell whether a socket hears a topic: whether its user is a member, for a conversation."""
        return topic in self._topics.get(socket, ())

    def hearing(self, topic: str) -> int:
        """Return how many sockets hear a topic."""
        return len(self._hearing.get(topic, ()))

    def online(self, socket: Socket) -> list[int]:
        """Return the ids of those who are connected, among those whose presence a socket hears."""
        watched = (topic.partition(":") for topic in self._topics.get(socket, ()))
        return [int(id_) for kind, _, id_ in watched if kind == "presence" and self.is_online(id_)]

    def is_online(self, user_id: int | str) -> bool:
        """Tell whether a user has an open socket, here or in another process."""
        return f"user:{user_id}" in self._hearing or bool(
            self.carrier and int(user_id) in self.carrier.elsewhere
        )

    def reply(self, socket: Socket, payload: bytes) -> None:
        """Send an event to one socket; it goes out before what this turn brings for its topics."""
        if socket in self._topics:
            self._replies.setdefault(socket, []).append(protocol.text_frame(payload))
            self._flush_soon()

    def hear(self, topic: str, payload: bytes, *, hint: bool = False) -> None:
        """Send an event to all sockets that hear a topic; a hint not to those that are behind."""
        if topic in self._hearing:
            waiting = self._hints if hint else self._events
            waiting.setdefault(topic, []).append(protocol.text_frame(payload))
            self._flush_soon()

    def obey(self, topic: str, order: dict[str, Any]) -> None:
        """Let the sockets of a topic enter or leave other topics, end those of some sessions, or
        let them look again at who their user is, or at the heads."""
        if "leave" in order:
            self._flush()  # who leaves still hears what came before
        for socket in list(self._hearing.get(topic, ())):
            self.enter(socket, order.get("enter", ()))
            self.leave(socket, order.get("leave", ()))
            if socket.session_id in order.get("end_sessions", ()):
                socket.end(protocol.SESSION_ENDED, "session ended")
            elif "renew" in order:
                socket.renew()
            elif "heads" in order:
                socket.look_again()

    def close(self) -> None:
        """Tell every client that the server goes away."""
        self.draining = self.closed = True
        for socket in list(self._topics):
            socket.end(protocol.GOING_AWAY, "server is going away")

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        outgoing, self._replies = self._replies, {}
        events, self._events = self._events, {}
        hints, self._hints = self._hints, {}
        for topic, frames in events.items():
            joined = b"".join(frames)
            hearing = self._hearing.get(topic, ())
            self.delivered += len(frames) * len(hearing)
            for socket in hearing:
                outgoing.setdefault(socket, []).append(joined)
        for topic, frames in hints.items():
            joined = b"".join(frames)
            for socket in self._hearing.get(topic, ()):
                if not socket.is_behind():
                    outgoing.setdefault(socket, []).append(joined)
        for socket, parts in outgoing.items():
            socket.send(parts[0] if len(parts) == 1 else b"".join(parts))
