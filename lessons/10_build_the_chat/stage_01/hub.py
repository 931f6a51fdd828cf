"""The hub knows the connections of this process."""

import json
from typing import Any, Protocol


class Connection(Protocol):
    """An open WebSocket, as the hub sees it."""

    def deliver(self, frame: str) -> None:
        """Send a text frame, unless the connection is closed."""


class Hub:
    """Deliver events to the connections of this process."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()

    def publish(self, event: dict[str, Any]) -> None:
        """Deliver an event to all connections."""
        frame = json.dumps(event)  # once for all connections
        for connection in self.connections.copy():  # a copy: the set may change in the loop
            connection.deliver(frame)
