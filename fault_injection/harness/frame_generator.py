"""Generates frames for the fuzzer: valid ones, mutated ones, and violations of the protocol."""

import itertools
import json
import random
import struct
import uuid
from collections.abc import Sequence
from typing import Any

ODD_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 2**53, 2**63, -(2**70), 1e308, "", "0", "\0", "\ud800"),
    *("é" * 10, "\u202e", "x" * 5000, [], {}, [[]], {"type": "send"}, "'; DROP TABLE events; --"),
    *("<script>alert(1)</script>", "%s%n", "../../etc/passwd", "\r\nSet-Cookie: a=b", "𝕏" * 3),
]
"""Values that have broken something somewhere."""

NON_OBJECT_PAYLOADS = [
    *(b"", b"{", b"}", b"null", b"[]", b"0", b'"', b"NaN", b"Infinity", b"-", b"\xef\xbb\xbf{}"),
    *(b"[" * 60_000, b'{"a":' * 10_000, b'{"type":"ping"}' * 2, b'{"type":"ping","type":"x"}'),
    *(b"9" * 5_000, b'{"type":"read","conv":' + b"9" * 5_000 + b',"seq":1}', b" " * 60_000),
]
"""Payloads that are no JSON object, or an odd one."""


def client_frame(payload: bytes, first: int = 0x81, *, masked: bool = True) -> bytes:
    """Return a frame as a client sends it (RFC 6455, 5.2); the mask is zero, so nothing changes."""
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head = struct.pack("!BB", first, bit | len(payload))
    elif len(payload) < 65_536:
        head = struct.pack("!BBH", first, bit | 126, len(payload))
    else:
        head = struct.pack("!BBQ", first, bit | 127, len(payload))
    return head + (bytes(4) if masked else b"") + payload


PROTOCOL_VIOLATIONS: dict[str, tuple[bytes, int]] = {
    "no mask": (client_frame(b"{}", masked=False), 1002),
    "no UTF-8": (client_frame(b"\xff\xfe\xfa"), 1007),
    "too long": (client_frame(b"a" * (64 * 1024 + 1)), 1009),
    "a length of 2**64 - 1": (b"\x81\xff" + b"\xff" * 8, 1009),
    "too long in pieces": (
        client_frame(b"a" * 40_000, 0x01) + client_frame(b"a" * 40_000, 0x80),
        1009,
    ),
    "no such opcode": (client_frame(b"{}", 0x83), 1002),
    "reserved bits": (client_frame(b"{}", 0xF1), 1002),
    "a ping that is too long": (client_frame(b"x" * 200, 0x89), 1002),
    "a control frame in pieces": (client_frame(b"", 0x09), 1002),
    "the rest of nothing": (client_frame(b"{}", 0x80), 1002),
    "a message in a message": (client_frame(b"{}", 0x01) + client_frame(b"{}", 0x81), 1002),
    "another protocol": (b"GET / HTTP/1.1\r\n\r\n", 1002),
    "a close code that is not allowed": (client_frame(struct.pack("!H", 999), 0x88), 1002),
    "half a close code": (client_frame(b"\x03", 0x88), 1002),
    "a goodbye in no UTF-8": (client_frame(struct.pack("!H", 1000) + b"\xff", 0x88), 1007),
    "a goodbye": (client_frame(struct.pack("!H", 1000), 0x88), 1000),
    "a goodbye without a code": (client_frame(b"", 0x88), 1005),
}
"""Frames after which the server must close the connection, and its close code; 1005 is none."""


class FrameGenerator:
    """Generates frames.

    Args:
        rng: the source of all random numbers.
        convs: ids of conversations that exist.
    """

    def __init__(self, rng: random.Random, convs: Sequence[int]) -> None:
        self.rng = rng
        self.convs = convs
        self._violations = itertools.cycle(
            rng.sample(list(PROTOCOL_VIOLATIONS.items()), len(PROTOCOL_VIOLATIONS))
        )

    def event(self) -> dict[str, Any]:
        """Return a frame of the protocol."""
        conv = self.rng.choice(self.convs)
        cid = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        if self.rng.random() < 0.85:  # these share a commit; all others cost a look of their own
            return {"type": "send", "cid": cid, "conv": conv, "text": f"fuzz {cid}"}
        return self.rng.choice(
            [
                {"type": "read", "conv": conv, "seq": self.rng.randint(0, 100)},
                {"type": "typing", "conv": conv},
                {"type": "ping"},
            ]
        )

    def valid_frame(self) -> tuple[str, bytes]:
        """Return a frame that a client could send, though not there, and the cid that is refused
        in answer to it."""
        cid = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        event = {"type": "send", "cid": cid, "conv": 10**9, "text": "somewhere else"}
        return cid, client_frame(json.dumps(event).encode())

    def mutated_frame(self) -> bytes:
        """Return a frame whose payload is odd in some way."""
        match self.rng.randrange(8):
            case 0:
                return client_frame(self.rng.choice(NON_OBJECT_PAYLOADS))
            case 1:
                return client_frame(self.rng.randbytes(self.rng.randrange(300)), 0x82)
            case 2:
                return client_frame(self._mutate_bytes())
            case 3:
                return client_frame(self.rng.randbytes(self.rng.randrange(126)), 0x89)  # ping
            case 4:
                return self._fragmented(json.dumps(self.event()).encode())
            case 5:
                return client_frame(json.dumps(self.event()).encode())
            case _:
                return client_frame(json.dumps(self._mutate_field()).encode())

    def _mutate_field(self) -> object:
        """Return a frame of the protocol with something else in one place."""
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
        """Return a frame of the protocol with some of its characters changed, in UTF-8 still."""
        text = bytearray(json.dumps(self.event()).encode())
        for _ in range(self.rng.randint(1, 4)):
            text[self.rng.randrange(len(text))] = self.rng.randrange(128)
        return bytes(text[: self.rng.randint(1, len(text))])

    def _fragmented(self, payload: bytes) -> bytes:
        """Return a message in several frames, which is allowed."""
        cut = self.rng.randrange(len(payload))
        ping = client_frame(b"", 0x89)  # and a control frame may stand between them
        return client_frame(payload[:cut], 0x01) + ping + client_frame(payload[cut:], 0x80)

    def protocol_violation(self) -> tuple[str, bytes, int | None]:
        """Return the next of `PROTOCOL_VIOLATIONS`: its name, its bytes and the close code."""
        name, (data, code) = next(self._violations)
        return name, data, code

    def random_bytes(self) -> bytes:
        """Return bytes that may be anything."""
        return self.rng.randbytes(64)
