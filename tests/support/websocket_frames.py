"""WebSocket frames as bytes (RFC 6455, 5.2), for clients that send what no library sends."""

import struct
from collections.abc import Iterator

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def client_frame(
    opcode: int, payload: bytes, *, final: bool = True, mask: bytes = bytes(4)
) -> bytes:
    """Return a frame as a client sends it: masked, by default with zeros."""
    masked = payload
    if any(mask):
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return _head(opcode, len(payload), final=final, masked=True) + mask + masked


def server_frame(opcode: int, payload: bytes) -> bytes:
    """Return a frame as a server sends it."""
    return _head(opcode, len(payload), final=True, masked=False) + payload


def _head(opcode: int, size: int, *, final: bool, masked: bool) -> bytes:
    first, bit = opcode | (0x80 if final else 0), 0x80 if masked else 0
    if size < 126:
        return struct.pack("!BB", first, bit | size)
    if size < 65_536:
        return struct.pack("!BBH", first, bit | 126, size)
    return struct.pack("!BBQ", first, bit | 127, size)


def server_frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the opcode and the payload of each frame that a server has sent.

    The last one may be cut: then its payload is what there is of it.
    """
    begin = 0
    while begin + 2 <= len(data):
        opcode, size = data[begin] & 0x0F, data[begin + 1]
        begin += 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size = int.from_bytes(data[begin : begin + width], "big")
            begin += width
        yield opcode, data[begin : begin + size]
        begin += size


def close_code(data: bytes) -> int | None:
    """Return the code of the first close frame in what a server has sent, if there is one."""
    for opcode, payload in server_frames(data):
        if opcode == CLOSE:
            return int.from_bytes(payload[:2], "big")
    return None
