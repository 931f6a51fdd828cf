"""The client's side of RFC 6455, as lean as a load client needs it.

Every message carries a mark and behind it the time at which it was due. There are two ways to read
what a server sends: `FrameReader` takes every frame apart, `MarkCounter` only counts marks, at the
speed at which C searches memory, and so keeps up with servers that are much faster than Python.
"""

import base64
import hashlib
from collections.abc import Iterator

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the example of RFC 6455: every connection may use the same one
ACCEPT = base64.b64encode(
    hashlib.sha1(f"{KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()  # noqa: S324
)

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10

MARK = b"^a-benchmark-message-due-at:"
"""Long, so that a search skips far; its first byte is nowhere else in it, so it cannot overlap."""
DIGITS = 16
"""Of the time in microseconds behind a mark."""
STAMP = len(MARK) + DIGITS


def mark(microseconds: int) -> str:
    """Return the mark of a message that is due at this time."""
    return f"{MARK.decode()}{microseconds:0{DIGITS}}"


def due(data: bytes | bytearray, at: int) -> int:
    """Return the time, in microseconds, behind the mark that begins at `at`."""
    return int(data[at + len(MARK) : at + STAMP])


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
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
    """Takes a server's frames apart, however the stream was cut into reads."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield opcode and payload of each frame that is complete now.

        Raises:
            ValueError: a frame is masked, compressed or in fragments; no server here sends such.
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


class MarkCounter:
    """Counts marks in a stream, however it was cut into reads.

    All connections read into one buffer. In front of what is read goes the end of what the same
    connection read before, one byte too short to hold a mark: so a mark that was cut is found, and
    none is found twice.
    """

    KEPT = len(MARK) - 1

    def __init__(self, room: int = 1 << 18) -> None:
        self.buffer = bytearray(self.KEPT + room)
        self.space = memoryview(self.buffer)[self.KEPT :]

    def count(self, kept: bytes | bytearray, size: int) -> tuple[int, bytearray]:
        """Return the marks in the `size` new bytes in `space`, and what to keep for the next."""
        self.buffer[: self.KEPT] = kept
        found = self.buffer.count(MARK, 0, self.KEPT + size)
        return found, self.buffer[size : self.KEPT + size]

    def first_due(self, size: int) -> int | None:
        """Return the time of the first message whose mark is whole in what was counted last."""
        end = self.KEPT + size
        at = self.buffer.find(MARK, 0, end - DIGITS)
        return None if at < 0 else due(self.buffer, at)
