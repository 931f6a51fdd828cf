"""The frames of the socket: what a client may say, and how the server speaks.

Every frame is a text frame that holds one JSON object with a `type`.
"""

import json
import re
import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Literal, NotRequired, TypedDict

import msgspec

from capstone_chat.text.visible_text import is_visible, trim_message

MAX_TEXT_LENGTH = 4000
"""Characters in a message."""

MAX_FRAME_BYTES = 64 * 1024
"""Bytes in a frame; a longer one closes the socket with 1009."""


class CloseCode(IntEnum):
    """Why the server closes a connection (RFC 6455, 7.4).

    After a code from 3000 to 3499 the client connects again, after one from 3500 to 3999 it does
    not.
    """

    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    INVALID_DATA = 1007
    """A text is not UTF-8."""
    MESSAGE_TOO_BIG = 1009
    TRY_AGAIN_LATER = 1013
    SLOW_CONSUMER = 3008
    TOO_MANY_FRAMES = 3009
    SESSION_ENDED = 3500
    BAD_FRAMES = 3501
    TOO_MANY_CONNECTIONS = 3502


MALFORMED = {"binary", "bad_json", "bad_frame", "unknown_type"}
"""Codes of errors that no well-made client meets; they count towards `CloseCode.BAD_FRAMES`."""


class ProtocolError(Exception):
    """A frame that cannot be carried out; it is answered with an `error` event.

    Args:
        code: for programs, stable.
        message: for people.
        cid: the client's id of the message that the frame was about, if any.
    """

    def __init__(self, code: str, message: str, cid: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.cid = cid


class Send(msgspec.Struct, frozen=True):
    """Write `text` into a conversation. `cid` is a UUID of the client: sent twice, stored once."""

    cid: str
    conv: int
    text: str


class Read(msgspec.Struct, frozen=True):
    """The user has read a conversation up to `seq`."""

    conv: int
    seq: int


class Typing(msgspec.Struct, frozen=True):
    """The user is writing in a conversation."""

    conv: int


class Ping(msgspec.Struct, frozen=True):
    """The client asks whether the server is there, and for the heads of its conversations."""


ClientFrame = Send | Read | Typing | Ping


class Author(TypedDict):
    """Somebody, as others see them; `picture` names a file under /pictures/."""

    id: int
    nickname: str
    picture: str | None


class OwnUser(Author):
    """The user of a socket."""

    name: str
    language: str
    theme: str


class Hello(TypedDict):
    """The first event of a socket: `online` are those contacts who are connected, `invitations`
    the groups to which the user is invited, `at` is the server's time in milliseconds since
    1970."""

    type: Literal["hello"]
    user: OwnUser
    heads: dict[int, int]
    online: list[int]
    invitations: list[int]
    at: int


class Pong(TypedDict):
    """The answer to a ping; `at` is the server's time in milliseconds since 1970."""

    type: Literal["pong"]
    heads: dict[int, int]
    at: int


class Ack(TypedDict):
    """A message of this socket is on the disk."""

    type: Literal["ack"]
    cid: str
    conv: int
    seq: int
    at: int


class ErrorEvent(TypedDict):
    """A frame of this connection was not carried out; `cid` when it was a message."""

    type: Literal["error"]
    code: str
    message: str
    cid: NotRequired[str]


# Told of a conversation, in its order; "from" is no name in Python, hence the other form.
Message = TypedDict(
    "Message",
    {
        "type": Literal["message", "title", "description", "visibility"],
        "conv": int,
        "seq": int,
        "from": Author,
        "at": int,
        "text": str | None,
    },
)
Deleted = TypedDict(
    "Deleted",
    {
        "type": Literal["deleted"],
        "conv": int,
        "seq": int,
        "from": Author,
        "at": int,
        "target": int,
    },
)
Member = TypedDict(
    "Member",
    {
        "type": Literal["member"],
        "conv": int,
        "seq": int,
        "from": Author,
        "at": int,
        "change": Literal["created", "joined", "left", "added", "removed", "owner"],
        "user": Author,
    },
)


class ReadReceipt(TypedDict):
    """A read mark moved: the user's own, or in a private chat the other person's."""

    type: Literal["read"]
    conv: int
    seq: int
    user: int


TypingEvent = TypedDict("TypingEvent", {"type": Literal["typing"], "conv": int, "from": Author})


class Inviter(Author):
    """Somebody with their user name, which tells one Anna from another."""

    name: str


class Invited(TypedDict):
    """The user is invited to a group."""

    type: Literal["invited"]
    conv: int
    title: str
    members: int
    by: Inviter
    at: int


class InvitationEnded(TypedDict):
    """An invitation of the user was accepted, declined or withdrawn."""

    type: Literal["invitation_ended"]
    conv: int


class Presence(TypedDict):
    """A contact came or went."""

    type: Literal["presence"]
    user: int
    online: bool


ServerEvent = (
    Hello
    | Pong
    | Ack
    | ErrorEvent
    | Message
    | Deleted
    | Member
    | ReadReceipt
    | TypingEvent
    | Presence
    | Invited
    | InvitationEnded
)

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest whole number that JavaScript holds exactly."""


# They take a sixth to a tenth of the standard library's time; see benchmarks/NOTES.md.
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder()


def _parse(payload: str) -> Any:
    try:
        return _DECODER.decode(payload)
    except ValueError:  # it may hold half an emoji, which a cut text has and the other one reads
        return json.loads(payload)


def decode(payload: str | bytes) -> ClientFrame:
    """Return what a client's frame says.

    Raises:
        ProtocolError: it is not a frame of this protocol.
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
            cid = _uuid_field(frame)
            return Send(
                cid, _non_negative_int(frame, "conv", cid), validate_text(frame.get("text"), cid)
            )
        case "read":
            return Read(_non_negative_int(frame, "conv"), _non_negative_int(frame, "seq"))
        case "typing":
            return Typing(_non_negative_int(frame, "conv"))
        case "ping":
            return Ping()
    raise ProtocolError("unknown_type", "The frame's type is not one of send, read, typing, ping.")


def encode(event: Mapping[str, Any]) -> bytes:
    """Return an event as JSON, in UTF-8."""
    return _ENCODER.encode(event)


def encode_text_frame(payload: bytes) -> bytes:
    """Return an unmasked text frame around `payload`, ready for the wire (RFC 6455, 5.2).

    A frame is the same for every member of a conversation, so it is built once for all of them;
    several frames can be joined and written at once.
    """
    length = len(payload)
    if length < 126:
        return struct.pack("!BB", 0x81, length) + payload
    if length < 65_536:
        return struct.pack("!BBH", 0x81, 126, length) + payload
    return struct.pack("!BBQ", 0x81, 127, length) + payload


def validate_text(value: object, cid: str | None = None) -> str:
    """Return a message's text as it is stored: without empty lines before and white space after it.

    Raises:
        ProtocolError: it is not text, holds nothing that can be seen, is too long, or cannot be
            stored.
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
        raise ProtocolError("text_invalid", "The text has characters that are not text.", cid)
    return text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


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
    raise ProtocolError("bad_frame", "conv and seq must be whole numbers.", cid)
