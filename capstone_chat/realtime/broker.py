"""The broker carries events and control messages to the hub of every process."""

from typing import Any, Protocol


class BrokerHandler(Protocol):
    """Receives events and control messages from a broker. The hub implements it."""

    def deliver(self, topic: str, payload: bytes, *, volatile: bool = False) -> None:
        """Deliver an event, as JSON, to the subscribers of a topic; a volatile one may be
        dropped."""

    def handle_control(self, topic: str, order: dict[str, Any]) -> None:
        """Carry out a control message for the subscribers of a topic."""


class Broker(Protocol):
    """Carries events and control messages to the hub of every process, at most once."""

    def publish(self, topic: str, payload: bytes, *, volatile: bool = False) -> None:
        """Publish an event, as JSON, to the subscribers of a topic; a volatile one may be
        dropped."""

    def send_control(self, topic: str, order: dict[str, Any]) -> None:
        """Send a control message for the subscribers of a topic to every hub."""

    async def wait_subscribed(self) -> None:
        """Wait until all topics with a subscriber here arrive here."""

    async def connect(self) -> None:
        """Connect."""

    async def disconnect(self) -> None:
        """Disconnect."""

    def unhealthy_reason(self) -> str | None:
        """Return why other processes cannot be reached, or None."""


class LocalBroker:
    """The broker of a single process: what is published is delivered at once."""

    def __init__(self, handler: BrokerHandler) -> None:
        self._handler = handler

    def publish(self, topic: str, payload: bytes, *, volatile: bool = False) -> None:
        self._handler.deliver(topic, payload, volatile=volatile)

    def send_control(self, topic: str, order: dict[str, Any]) -> None:
        self._handler.handle_control(topic, order)

    async def wait_subscribed(self) -> None:
        pass

    async def connect(self) -> None:
        pass

    async def disconnect(self) -> None:
        pass

    def unhealthy_reason(self) -> None:
        pass
