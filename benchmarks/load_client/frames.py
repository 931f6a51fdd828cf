"""The client's side of RFC 6455, reduced to what a load client needs.

Every message carries a marker, followed by the time for which its sending was scheduled. There are
two ways to read what a server sends: `FrameReader` parses every frame; `MarkerCounter` only counts
markers, at the speed at which C searches memory, and so keeps up with servers that are much faster
than Python.
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
"""Long, so that a search skips far. Its first byte occurs only once in it, so that two markers
cannot overlap."""
TIME_DIGITS = 16
"""Digits of the time, in microseconds, that follows a marker."""
STAMP_SIZE = len(MARKER) + TIME_DIGITS


def marker(scheduled_at: int) -> str:
    """Return the marker of a message whose sending was scheduled for a time in microseconds."""
    return f"{MARKER.decode()}{scheduled_at:0{TIME_DIGITS}}"


def read_time(data: bytes | bytearray, offset: int) -> int:
    """Return the time, in microseconds, that follows the marker at an offset."""
    return int(data[offset + len(MARKER) : offset + STAMP_SIZE])


def client_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return a frame of a client. Its mask is zero, which leaves the payload as it is."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65_536:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


class FrameReader:
    """Parses the frames of a server, however the stream was cut into reads."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield opcode and payload of each frame that is complete now.

        Raises:
            ValueError: a frame is masked, compressed or fragmented; no server here sends such.
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
    """Counts markers in a stream, however it was cut into reads.

    All connections read into one buffer. The new bytes are preceded by the last bytes that the same
    connection read before, one byte too short to hold a marker: so a marker that was cut is found,
    and none is found twice.
    """

    OVERLAP = len(MARKER) - 1

    def __init__(self, size: int = 1 << 18) -> None:
        self.buffer = bytearray(self.OVERLAP + size)
        self.view = memoryview(self.buffer)[self.OVERLAP :]

    def count(self, carry: bytes | bytearray, size: int) -> tuple[int, bytearray]:
        """Count the markers in the `size` new bytes in `view`.

        Args:
            carry: the last bytes that the connection read before.

        Returns:
            The number of markers, and the `carry` for the next read.
        """
        self.buffer[: self.OVERLAP] = carry
        found = self.buffer.count(MARKER, 0, self.OVERLAP + size)
        return found, self.buffer[size : self.OVERLAP + size]

    def first_time(self, size: int) -> int | None:
        """Return the time behind the first complete marker in what was counted last."""
        end = self.OVERLAP + size
        offset = self.buffer.find(MARKER, 0, end - TIME_DIGITS)
        return None if offset < 0 else read_time(self.buffer, offset)
