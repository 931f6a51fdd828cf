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
