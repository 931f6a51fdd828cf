"""Frames of the WebSocket: validation and encoding. PROTOCOL.md is the specification.

Each frame is a text frame with one JSON object, which has a `type`. Times (`at`) are milliseconds
since 1970 by the server's clock.
"""

import json
import re
import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import msgspec

from capstone_chat.text.visible_text import is_visible, trim_message

VERSION = 2
"""Version of the protocol. PROTOCOL.md says which changes raise it."""

MAX_TEXT_LENGTH = 4000
"""Maximum number of characters in the text of a message."""

MAX_FRAME_BYTES = 64 * 1024
"""Maximum number of bytes in a frame; a longer one closes the connection with 1009."""


class CloseCode(IntEnum):
    """Code in the close frame of the server (RFC 6455, 7.4).

    After codes from 3000 to 3499 the client connects again; after codes from 3500 to 3999 it does
    not.
    """

    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    INVALID_DATA = 1007
    """A text frame, or the reason in a close frame, is not UTF-8."""
    MESSAGE_TOO_BIG = 1009
    TRY_AGAIN_LATER = 1013
    SLOW_CONSUMER = 3008
    TOO_MANY_FRAMES = 3009
    SESSION_ENDED = 3500
    BAD_FRAMES = 3501
    TOO_MANY_CONNECTIONS = 3502


MALFORMED = {"binary", "bad_json", "bad_frame", "unknown_type"}
"""Codes of errors that only faulty clients cause; see `CloseCode.BAD_FRAMES`."""


class ProtocolError(Exception):
    """A frame cannot be carried out. The server answers with an `error` event.

    Args:
        code: an identifier for programs, which does not change.
        message: a text for people, in English.
        cid: the cid of the frame, if it has one.
    """

    def __init__(self, code: str, message: str, cid: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.cid = cid


class Send(msgspec.Struct, frozen=True):
    """Request to store a message.

    `cid` is a UUID that the client has made. A second frame with the same cid stores nothing and
    gets the same ack. `reply` is the seq of the message that this one answers.
    """

    cid: str
    conv: int
    text: str
    reply: int | None = None


class Edit(msgspec.Struct, frozen=True):
    """Request to replace the text of the user's own message `seq`. `cid` is as in `Send`."""

    cid: str
    conv: int
    seq: int
    text: str


class Read(msgspec.Struct, frozen=True):
    """Request to move the user's read mark of a conversation to `seq`."""

    conv: int
    seq: int


class Typing(msgspec.Struct, frozen=True):
    """Signal that the user is writing in a conversation."""

    conv: int


class Ping(msgspec.Struct, frozen=True):
    """Request for a pong, which shows that the server answers and contains the heads."""


ClientFrame = Send | Edit | Read | Typing | Ping

VOLATILE = frozenset({"read", "typing", "presence"})
"""Types of events that are dropped for a connection with a backlog.

A later event of the same type replaces a dropped one.
"""

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest integer that JavaScript represents exactly (Number.MAX_SAFE_INTEGER)."""


# msgspec takes less than a sixth of the time of the module json for a frame of the protocol.
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder()


def _parse(payload: str) -> Any:
    try:
        return _DECODER.decode(payload)
    except ValueError:  # half of a surrogate pair, in a text that was cut; json accepts it
        return json.loads(payload)


def decode(payload: str | bytes) -> ClientFrame:
    """Parse and validate a frame of a client.

    Args:
        payload: the payload of a text frame, or of a binary frame as bytes.

    Raises:
        ProtocolError: the payload is no frame of this protocol, or its text is invalid.
    """
    if isinstance(payload, bytes):
        raise ProtocolError("binary", "Frames are text, each one JSON object.")
    try:
        frame = _parse(payload)
    except (ValueError, RecursionError):
        raise ProtocolError("bad_json", "The frame is not JSON.") from None
    if not isinstance(frame, dict):
        raise ProtocolError("bad_frame", "A frame is one JSON object.")
    match frame.get("type"):
        case "send":
            cid, conv, text = _text_fields(frame)
            is_reply = frame.get("reply") is not None
            return Send(
                cid, conv, text, _non_negative_int(frame, "reply", cid) if is_reply else None
            )
        case "edit":
            cid, conv, text = _text_fields(frame)
            return Edit(cid, conv, _non_negative_int(frame, "seq", cid), text)
        case "read":
            return Read(_non_negative_int(frame, "conv"), _non_negative_int(frame, "seq"))
        case "typing":
            return Typing(_non_negative_int(frame, "conv"))
        case "ping":
            return Ping()
    raise ProtocolError(
        "unknown_type", "The frame's type is not one of send, edit, read, typing, ping."
    )


def encode(event: Mapping[str, Any]) -> bytes:
    """Return an event as JSON, in UTF-8."""
    return _ENCODER.encode(event)


def encode_text_frame(payload: bytes) -> bytes:
    """Return an unmasked text frame with a payload (RFC 6455, 5.2).

    The frame is the same for all subscribers, so it is encoded once for all of them. Frames can be
    concatenated and written at once.
    """
    length = len(payload)
    if length < 126:
        return struct.pack("!BB", 0x81, length) + payload
    if length < 65_536:
        return struct.pack("!BBH", 0x81, 126, length) + payload
    return struct.pack("!BBQ", 0x81, 127, length) + payload


def validate_text(value: object, cid: str | None = None) -> str:
    """Return the text of a message without leading empty lines and trailing white space.

    Args:
        value: the value of `text` in the frame.
        cid: the cid of the frame, for the error.

    Raises:
        ProtocolError: the value is not a text, has no visible character, is longer than
            MAX_TEXT_LENGTH, or contains a NUL or half of a surrogate pair.
    """
    if not isinstance(value, str):
        raise ProtocolError("bad_frame", "text must be a string.", cid)
    text = trim_message(value)
    if not is_visible(text):
        raise ProtocolError("text_empty", "A message must contain something visible.", cid)
    if len(text) > MAX_TEXT_LENGTH:
        message = f"A message has at most {MAX_TEXT_LENGTH} characters."
        raise ProtocolError("text_too_long", message, cid)
    if "\0" in text or not _is_unicode(text):
        raise ProtocolError("text_invalid", "The text has characters that are not allowed.", cid)
    return text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def _text_fields(frame: dict[str, Any]) -> tuple[str, int, str]:
    """Return the cid, the conversation and the text of a frame that has them."""
    cid = _uuid_field(frame)
    return cid, _non_negative_int(frame, "conv", cid), validate_text(frame.get("text"), cid)


_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _uuid_field(frame: dict[str, Any]) -> str:
    value = frame.get("cid")
    if isinstance(value, str) and _UUID.fullmatch(value):
        return value.lower()
    raise ProtocolError("bad_frame", "cid must be a UUID.")


def _non_negative_int(frame: dict[str, Any], name: str, cid: str | None = None) -> int:
    value = frame.get(name)
    if type(value) is int and 0 <= value <= MAX_SAFE_INTEGER:
        return value
    raise ProtocolError("bad_frame", "conv, seq and reply must be whole numbers.", cid)
