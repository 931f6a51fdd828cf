"""Control messages: instructions to all connections of a topic, in every process.

The hubs send them to each other as JSON, see `encode` and `decode`. Clients do not see them.
"""

import msgspec

from capstone_chat.realtime.topics import Topic


class Subscribe(msgspec.Struct, frozen=True, tag=True):
    """Subscribe the connections to these topics."""

    topics: list[Topic]


class Unsubscribe(msgspec.Struct, frozen=True, tag=True):
    """Unsubscribe the connections from these topics, after the delivery of earlier events."""

    topics: list[Topic]


class DisconnectSessions(msgspec.Struct, frozen=True, tag=True):
    """Close the connections of these sessions, because the sessions have ended."""

    session_ids: list[int]


class RefreshUser(msgspec.Struct, frozen=True, tag=True):
    """Read the user and the session from the database again."""


class Resync(msgspec.Struct, frozen=True, tag=True):
    """Read the subscriptions again and send the heads, because events may have been lost."""


ControlMessage = Subscribe | Unsubscribe | DisconnectSessions | RefreshUser | Resync

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[ControlMessage] = msgspec.json.Decoder(ControlMessage)


def encode(message: ControlMessage) -> bytes:
    """Return a control message as JSON."""
    return _ENCODER.encode(message)


def decode(data: bytes) -> ControlMessage:
    """Return the control message in a JSON text.

    Raises:
        msgspec.DecodeError: the text is no control message.
    """
    return _DECODER.decode(data)
