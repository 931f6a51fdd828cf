"""The client's side of the WebSocket protocol (RFC 6455), reduced to the needs of a load client.

Every message carries a marker followed by its scheduled time. There are two ways to read a server's
data: `FrameReader` parses every frame; `MarkerCounter` only counts markers. It does so with
`bytearray.count`, whose speed is that of C, so it keeps up with servers that are not in Python.
"""

import base64
import hashlib
from collections.abc import Iterator

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the example of RFC 6455: every connection may use the same one
ACCEPT = base64.b64encode(
    hashlib.sha1(f"{KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()  # noqa: S324
)

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10

MARKER = b"^a-benchmark-message-due-at:"
"""The marker. It is long, so that a search is fast. Its first byte occurs only once, so that two
markers cannot overlap."""
TIME_DIGITS = 16
"""Number of digits of the time after a marker, in microseconds."""
STAMP_SIZE = len(MARKER) + TIME_DIGITS


def marker(scheduled_at: int) -> str:
    """Return the marker with a message's scheduled time, in microseconds."""
    return f"{MARKER.decode()}{scheduled_at:0{TIME_DIGITS}}"


def read_time(data: bytes | bytearray, offset: int) -> int:
    """Return the time after the marker at an offset, in microseconds."""
    return int(data[offset + len(MARKER) : offset + STAMP_SIZE])


def client_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return a client's frame. Its masking key is 0, which does not change the payload."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65_536:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


class FrameReader:
    """Parses the frames of a server incrementally, from reads of any size."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Parse more data; yield the opcode and the payload of each complete frame.

        Raises:
            ValueError: a frame is masked, compressed or fragmented, which no server here sends.
        """
        data = self._data + data if self._data else data
        at, end = 0, len(data)
        while end - at >= 2:
            first, size = data[at], data[at + 1]
            if first & 0xF0 != 0x80 or size > 127:
                raise ValueError(f"a frame begins with {data[at : at + 2].hex()}")
            begin = at + 2
            if size > 125:
                begin += 2 if size == 126 else 8
                if end < begin:
                    break
                size = int.from_bytes(data[at + 2 : begin], "big")
            if end < begin + size:
                break
            at = begin + size
            yield first & 0x0F, data[begin:at]
        self._data = data[at:]


class MarkerCounter:
    """Counts markers in a stream, from reads of any size.

    All connections read into one buffer. In front of the new bytes are the last bytes of the same
    connection's previous read, one byte fewer than a marker has: a marker that was divided between
    two reads is found, and no marker is counted twice.
    """

    OVERLAP = len(MARKER) - 1

    def __init__(self, size: int = 1 << 18) -> None:
        self.buffer = bytearray(self.OVERLAP + size)
        self.view = memoryview(self.buffer)[self.OVERLAP :]

    def count(self, carry: bytes | bytearray, size: int) -> tuple[int, bytearray]:
        """Count the markers in the `size` new bytes in `view`.

        Args:
            carry: the last bytes of the connection's previous read.
            size: the number of new bytes.

        Returns:
            The number of markers, and the `carry` for the next read.
        """
        self.buffer[: self.OVERLAP] = carry
        found = self.buffer.count(MARKER, 0, self.OVERLAP + size)
        return found, self.buffer[size : self.OVERLAP + size]

    def first_time(self, size: int) -> int | None:
        """Return the time after the first complete marker of the last `count`, or None."""
        end = self.OVERLAP + size
        offset = self.buffer.find(MARKER, 0, end - TIME_DIGITS)
        return None if offset < 0 else read_time(self.buffer, offset)
