"""Names of topics. A topic is a conversation, a user, the presence of a user, or an address.

A published event may be lost. The database holds the truth, and a client learns from the heads in
the next pong that it has missed something.
"""


def conversation(conv: int) -> str:
    """Return the topic of a conversation, for the connections of its members."""
    return f"conv:{conv}"


def user(user_id: int) -> str:
    """Return the topic of a user, for all connections of this user."""
    return f"user:{user_id}"


def presence(user_id: int) -> str:
    """Return the topic of a user's presence, for those who may see it."""
    return f"presence:{user_id}"


def address(ip: str | None) -> str:
    """Return the topic of an address, by which the connections from there are counted."""
    return f"address:{ip}"


def is_cluster_wide(topic: str) -> bool:
    """Return whether a topic is published to other processes."""
    return topic.startswith(("conv:", "user:"))


def user_id_of(topic: str) -> int | None:
    """Return the id of the user whose topic it is, or None for a topic of another kind."""
    kind, _, id_ = topic.partition(":")
    return int(id_) if kind == "user" else None
