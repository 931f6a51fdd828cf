"""Generates frames for the fuzzer: valid frames, mutated frames, violations of the protocol."""

import itertools
import json
import random
import struct
import uuid
from collections.abc import Sequence
from typing import Any

from tests.support.websocket_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    NO_CODE,
    PING,
    TEXT,
    client_frame,
    server_frame,
)

ODD_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 2**53, 2**63, -(2**70), 1e308, "", "0", "\0", "\ud800"),
    *("é" * 10, "\u202e", "x" * 5000, [], {}, [[]], {"type": "send"}, "'; DROP TABLE events; --"),
    *("<script>alert(1)</script>", "%s%n", "../../etc/passwd", "\r\nSet-Cookie: a=b", "𝕏" * 3),
]
"""Field values that have caused errors in other programs."""

NON_OBJECT_PAYLOADS = [
    *(b"", b"{", b"}", b"null", b"[]", b"0", b'"', b"NaN", b"Infinity", b"-", b"\xef\xbb\xbf{}"),
    *(b"[" * 60_000, b'{"a":' * 10_000, b'{"type":"ping"}' * 2, b'{"type":"ping","type":"x"}'),
    *(b"9" * 5_000, b'{"type":"read","conv":' + b"9" * 5_000 + b',"seq":1}', b" " * 60_000),
]
"""Payloads that are not a JSON object, or an unusual one."""


PROTOCOL_VIOLATIONS: dict[str, tuple[bytes, int]] = {
    "no mask": (server_frame(TEXT, b"{}"), 1002),
    "no UTF-8": (client_frame(TEXT, b"\xff\xfe\xfa"), 1007),
    "too long": (client_frame(TEXT, b"a" * (64 * 1024 + 1)), 1009),
    "a length of 2**64 - 1": (b"\x81\xff" + b"\xff" * 8, 1009),
    "too long in pieces": (
        client_frame(TEXT, b"a" * 40_000, final=False) + client_frame(CONTINUATION, b"a" * 40_000),
        1009,
    ),
    "no such opcode": (client_frame(0x3, b"{}"), 1002),
    "reserved bits": (client_frame(0x70 | TEXT, b"{}"), 1002),
    "a ping that is too long": (client_frame(PING, b"x" * 200), 1002),
    "a control frame in pieces": (client_frame(PING, b"", final=False), 1002),
    "the rest of nothing": (client_frame(CONTINUATION, b"{}"), 1002),
    "a message in a message": (
        client_frame(TEXT, b"{}", final=False) + client_frame(TEXT, b"{}"),
        1002,
    ),
    "another protocol": (b"GET / HTTP/1.1\r\n\r\n", 1002),
    "a close code that is not allowed": (client_frame(CLOSE, struct.pack("!H", 999)), 1002),
    "half a close code": (client_frame(CLOSE, b"\x03"), 1002),
    "a goodbye in no UTF-8": (client_frame(CLOSE, struct.pack("!H", 1000) + b"\xff"), 1007),
    "a goodbye": (client_frame(CLOSE, struct.pack("!H", 1000)), 1000),
    "a goodbye without a code": (client_frame(CLOSE, b""), NO_CODE),
}
"""Frames after which the server must close the connection, and the close code of its answer."""


class FrameGenerator:
    """Generates frames.

    Args:
        rng: source of all random numbers.
        convs: ids of existing conversations.
    """

    def __init__(self, rng: random.Random, convs: Sequence[int]) -> None:
        self.rng = rng
        self.convs = convs
        self._violations = itertools.cycle(
            rng.sample(list(PROTOCOL_VIOLATIONS.items()), len(PROTOCOL_VIOLATIONS))
        )

    def event(self) -> dict[str, Any]:
        """Return a frame of the protocol as an object."""
        conv = self.rng.choice(self.convs)
        cid = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        if self.rng.random() < 0.85:  # sends share a commit; each other frame has its own read
            return {"type": "send", "cid": cid, "conv": conv, "text": f"fuzz {cid}"}
        return self.rng.choice(
            [
                {"type": "send", "cid": cid, "conv": conv, "text": "an answer", "reply": 3},
                {"type": "edit", "cid": cid, "conv": conv, "text": f"fuzz {cid}", "seq": 3},
                {"type": "read", "conv": conv, "seq": self.rng.randint(0, 100)},
                {"type": "typing", "conv": conv},
                {"type": "ping"},
            ]
        )

    def valid_frame(self) -> tuple[str, bytes]:
        """Return the cid and the bytes of a valid frame that the chat refuses.

        It sends a message to a conversation that does not exist; the error names the cid.
        """
        cid = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        event = {"type": "send", "cid": cid, "conv": 10**9, "text": "somewhere else"}
        return cid, client_frame(TEXT, json.dumps(event).encode())

    def mutated_frame(self) -> bytes:
        """Return a frame with an unusual payload."""
        match self.rng.randrange(8):
            case 0:
                return client_frame(TEXT, self.rng.choice(NON_OBJECT_PAYLOADS))
            case 1:
                return client_frame(BINARY, self.rng.randbytes(self.rng.randrange(300)))
            case 2:
                return client_frame(TEXT, self._mutate_bytes())
            case 3:
                return client_frame(PING, self.rng.randbytes(self.rng.randrange(126)))
            case 4:
                return self._fragmented(json.dumps(self.event()).encode())
            case 5:
                return client_frame(TEXT, json.dumps(self.event()).encode())
            case _:
                return client_frame(TEXT, json.dumps(self._mutate_field()).encode())

    def _mutate_field(self) -> object:
        """Return a frame of the protocol in which one field is missing, added or changed."""
        event = self.event()
        match self.rng.randrange(4):
            case 0:
                event.pop(self.rng.choice(list(event)))
            case 1:
                event[self.rng.choice(["extra", "__class__", "from", "at"])] = "more"
            case 2:
                return self.rng.choice(ODD_VALUES)
            case _:
                event[self.rng.choice(list(event))] = self.rng.choice(ODD_VALUES)
        return event

    def _mutate_bytes(self) -> bytes:
        """Return the payload of a frame with some characters changed; it is still UTF-8."""
        text = bytearray(json.dumps(self.event()).encode())
        for _ in range(self.rng.randint(1, 4)):
            text[self.rng.randrange(len(text))] = self.rng.randrange(128)
        return bytes(text[: self.rng.randint(1, len(text))])

    def _fragmented(self, payload: bytes) -> bytes:
        """Return a message in two fragments with a ping between them."""
        cut = self.rng.randrange(len(payload))
        # A control frame may stand between the fragments of a message (RFC 6455, 5.4).
        fragments = client_frame(TEXT, payload[:cut], final=False), client_frame(PING, b"")
        return b"".join(fragments) + client_frame(CONTINUATION, payload[cut:])

    def protocol_violation(self) -> tuple[str, bytes, int | None]:
        """Return name, bytes and close code of the next of `PROTOCOL_VIOLATIONS`."""
        name, (data, code) = next(self._violations)
        return name, data, code

    def random_bytes(self) -> bytes:
        """Return 64 random bytes."""
        return self.rng.randbytes(64)
