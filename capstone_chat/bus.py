"""Between those who publish and the sockets that are open: by topic, in memory.

A topic is a conversation, a user, the presence of a user, or an address. What is lost on a bus
heals: the database is the truth, and a client learns from the heads in the next pong that it missed
something.
"""

from typing import Any, Protocol


def conversation(conv: int) -> str:
    """Return the topic of a conversation: its members' sockets hear it."""
    return f"conv:{conv}"


def user(user_id: int) -> str:
    """Return the topic of a user: all sockets of this user hear it."""
    return f"user:{user_id}"


def presence(user_id: int) -> str:
    """Return the topic of a user's coming and going: those hear it who may see it."""
    return f"presence:{user_id}"


def address(ip: str | None) -> str:
    """Return the topic of an address: so the sockets from there are counted."""
    return f"address:{ip}"


def is_shared(topic: str) -> bool:
    """Tell whether a topic is known outside its process."""
    return topic.startswith(("conv:", "user:"))


def user_of(topic: str) -> int | None:
    """Return whose topic it is; None for another kind."""
    kind, _, id_ = topic.partition(":")
    return int(id_) if kind == "user" else None


class Listener(Protocol):
    """What hears a bus."""

    def hear(self, topic: str, payload: bytes, *, hint: bool = False) -> None:
        """Pass an event, as JSON, on to the sockets of a topic; a hint may be lost."""

    def obey(self, topic: str, order: dict[str, Any]) -> None:
        """Change something about the sockets of a topic; not for clients."""


class Bus(Protocol):
    """Carries events and orders to the hub of every process."""

    def publish(self, topic: str, payload: bytes, *, hint: bool = False) -> None:
        """Send an event, as JSON, to the sockets of a topic; a hint may be lost."""

    def order(self, topic: str, order: dict[str, Any]) -> None:
        """Tell every hub something about the sockets of a topic."""

    async def settled(self) -> None:
        """Wait until all that sockets here are to hear does come here."""

    async def open(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Let go."""

    def problem(self) -> str | None:
        """Return why other processes are not heard, or None."""


class LocalBus:
    """The bus of a single process: what is published is heard at once."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def publish(self, topic: str, payload: bytes, *, hint: bool = False) -> None:
        self._listener.hear(topic, payload, hint=hint)

    def order(self, topic: str, order: dict[str, Any]) -> None:
        self._listener.obey(topic, order)

    async def settled(self) -> None:
        pass

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def problem(self) -> None:
        pass
