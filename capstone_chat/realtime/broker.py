"""Interface of a broker, which carries events and control messages between processes.

`redis_broker` implements it. A process on its own has no broker, see `Hub`.
"""

from collections import Counter
from typing import Protocol

from capstone_chat.realtime.control import ControlMessage
from capstone_chat.realtime.presence import Presence
from capstone_chat.realtime.topics import Topic


class BrokerHandler(Protocol):
    """Receiver of the publications of other processes. The hub implements it."""

    def deliver(self, topic: Topic, payload: bytes, *, volatile: bool) -> None:
        """Deliver an event to the subscribers of a topic in this process.

        Args:
            topic: the topic.
            payload: the event as JSON.
            volatile: whether the event is dropped for connections with a backlog.
        """

    def handle_control(self, topic: Topic, message: ControlMessage) -> None:
        """Carry out a control message for the subscribers of a topic in this process."""


class Broker(Protocol):
    """Carries events and control messages to the other processes, each at most once."""

    counts: Counter[str]
    """Number of publications that were "sent", and of those that were "received" from others."""

    @property
    def presence(self) -> Presence:
        """The presence of the users of all processes."""

    @property
    def server_count(self) -> int:
        """The number of servers to which the broker is connected."""

    async def start(self, handler: BrokerHandler) -> None:
        """Connect, and deliver publications to a handler from now on.

        Raises:
            OptionError: the broker cannot be reached.
        """

    async def close(self) -> None:
        """Send all queued publications, and disconnect."""

    def publish(self, topic: Topic, payload: bytes, *, volatile: bool) -> None:
        """Publish an event to the subscribers of a topic in other processes.

        Args:
            topic: the topic.
            payload: the event as JSON.
            volatile: whether the event is dropped for connections with a backlog.
        """

    def send_control(self, topic: Topic, message: ControlMessage) -> None:
        """Send a control message to the subscribers of a topic in other processes.

        Its order relative to events that this process publishes is kept, except between topics
        that are on different servers of a cluster.
        """

    def subscribe(self, topic: Topic) -> None:
        """Receive the publications of a topic. The hub calls this for the first subscriber."""

    def unsubscribe(self, topic: Topic) -> None:
        """Stop receiving a topic. The hub calls this when the last subscriber has unsubscribed."""

    async def wait_subscribed(self) -> None:
        """Wait until the broker has confirmed all pending subscriptions."""

    def unhealthy_reason(self) -> str | None:
        """Return the reason why other processes cannot be reached, or None."""
