"""The hub knows the connections of this process."""

import json
from collections.abc import Iterable
from typing import Any, Protocol


class Connection(Protocol):
    """An open WebSocket, as the hub sees it."""

    user_id: int
    session: str

    def deliver(self, frame: str) -> None:
        """Send a text frame, unless the connection is closed."""

    def close(self, code: int, reason: str) -> None:
        """Send a close frame."""


class Hub:
    """Deliver events to the connections of this process."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()

    def add(self, connection: Connection) -> None:
        """Add a connection; if it is the first one of its user, all others learn of it."""
        is_first = connection.user_id not in self.online_users()
        self.connections.add(connection)
        if is_first:
            self.publish_presence(connection.user_id, online=True)

    def remove(self, connection: Connection) -> None:
        """Remove a connection; if it was the last one of its user, all others learn of it."""
        was_added = connection in self.connections  # a refused handshake was never added
        self.connections.discard(connection)
        if was_added and connection.user_id not in self.online_users():
            self.publish_presence(connection.user_id, online=False)

    def online_users(self) -> set[int]:
        """Return the ids of the users with a connection."""
        return {connection.user_id for connection in self.connections}

    def publish_presence(self, user: int, *, online: bool) -> None:
        """Tell all users that one has come or gone."""
        event = {"type": "presence", "user": user, "online": online}
        self.publish(self.online_users() - {user}, event)

    def publish(self, users: Iterable[int], event: dict[str, Any]) -> None:
        """Deliver an event to all connections of some users."""
        frame = json.dumps(event)  # once for all connections
        receivers = set(users)
        for connection in self.connections.copy():  # a copy: the set may change in the loop
            if connection.user_id in receivers:
                connection.deliver(frame)

    def disconnect(self, session: str) -> None:
        """Close the connections of a session that has ended."""
        for connection in self.connections.copy():
            if connection.session == session:
                connection.close(3500, "the session has ended")
