"""Topics: names to which connections subscribe and events are published.

A published event may be lost. The database contains all events of a conversation, and a client
finds a lost one by the heads in the next pong (docs/decisions/database_is_the_truth.md).
"""

from typing import Literal, NamedTuple, get_args

Kind = Literal["conv", "user"]
KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}


class Topic(NamedTuple):
    """Name of a topic: a kind, and the id of a conversation or user."""

    kind: Kind
    id: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


def parse(name: str) -> Topic:
    """Return the topic with this name. The inverse of `str`.

    Args:
        name: KIND:ID.

    Raises:
        KeyError: the kind is unknown.
        ValueError: the id is not a number.
    """
    kind, _, id_ = name.partition(":")
    return Topic(KINDS[kind], int(id_))


def conversation(conv: int) -> Topic:
    """Return the topic of a conversation. Its subscribers are the connections of the members."""
    return Topic("conv", conv)


def user(user_id: int) -> Topic:
    """Return the topic of a user. Its subscribers are all connections of this user."""
    return Topic("user", user_id)
