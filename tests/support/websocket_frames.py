"""WebSocket handshakes and frames as bytes (RFC 6455), for clients that break the rules."""

import asyncio
import struct
from collections.abc import Iterator, Mapping

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NO_CODE = 1005
"""Stands for the code of a close frame without one (RFC 6455, 7.4.1)."""

UPGRADE_HEADERS = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
"""Headers that ask for a WebSocket. The key is the example of RFC 6455, 1.3."""


def handshake(host: str, headers: Mapping[str, str] | None = None, path: str = "/ws") -> bytes:
    """Return the request that opens a WebSocket (RFC 6455, 4.1).

    Args:
        host: host and port, for the Host header.
        headers: further headers, such as Cookie and Origin.
        path: where the server accepts WebSockets.
    """
    every = {"Host": host} | UPGRADE_HEADERS | dict(headers or {})
    lines = "".join(f"{name}: {value}\r\n" for name, value in every.items())
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


def client_frame(
    opcode: int, payload: bytes, *, final: bool = True, mask: bytes = bytes(4)
) -> bytes:
    """Return a frame as a client sends it: masked, by default with zeros (RFC 6455, 5.2).

    Args:
        opcode: the type of the frame. Bits 0x10 to 0x40 set the reserved bits.
        payload: the unmasked payload.
        final: False for a message that continues in the next frame.
        mask: four bytes.
    """
    masked = payload
    if any(mask):
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return _head(opcode, len(payload), final=final, masked=True) + mask + masked


def server_frame(opcode: int, payload: bytes) -> bytes:
    """Return a frame as a server sends it, without a mask."""
    return _head(opcode, len(payload), final=True, masked=False) + payload


def _head(opcode: int, size: int, *, final: bool, masked: bool) -> bytes:
    first, bit = opcode | (0x80 if final else 0), 0x80 if masked else 0
    if size < 126:
        return struct.pack("!BB", first, bit | size)
    if size < 65_536:
        return struct.pack("!BBH", first, bit | 126, size)
    return struct.pack("!BBQ", first, bit | 127, size)


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes] | None:
    """Return the opcode and the payload of a server's next frame, or None at the end of the stream.

    A connection that the server resets counts as ended.
    """
    try:
        first, size = await reader.readexactly(2)
        if size >= 126:
            size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
        return first & 0x0F, await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def server_frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the opcode and the payload of each frame in the bytes that a server has sent.

    If the last frame is incomplete, its payload is the part that has arrived.
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


def code_of(payload: bytes) -> int:
    """Return the code in the payload of a close frame, `NO_CODE` if it is empty."""
    return int.from_bytes(payload[:2], "big") if payload else NO_CODE


def close_code(data: bytes) -> int | None:
    """Return the code of the first close frame in the bytes of a server, None without one."""
    for opcode, payload in server_frames(data):
        if opcode == CLOSE:
            return code_of(payload)
    return None
