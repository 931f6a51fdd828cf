"""Tornado's WebSocket with fewer steps where a busy chat takes most of them, and with the checks of
RFC 6455 that Tornado leaves out.

All of it rests on how Tornado 6 is made inside; `test_fast_websocket.py` notices a change.
"""

import asyncio
import struct
from typing import Any, Protocol

import tornado.iostream
import tornado.websocket

from capstone_chat.realtime.protocol import CloseCode

READ_SIZE = 64 * 1024
"""Bytes to read at once at the most."""

MAX_FRAMES_PER_TURN = 64
"""Frames of one connection to handle before others have their turn; with Tornado's 256, eight
clients that send as fast as they can would hold up everybody else for 50 ms each time."""
DISCARD_INTERVAL = 0.1
"""Seconds between two reads of data that is thrown away."""

TEXT, CLOSE = 0x1, 0x8
OPCODES = {0x0, TEXT, 0x2, CLOSE, 0x9, 0xA}
"""Continuation, text, binary, close, ping, pong (RFC 6455, 5.2); all others are reserved."""
CLOSE_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
"""The codes that a close frame may carry (RFC 6455, 7.4, and the registry that it set up)."""


class FrameHandler(Protocol):
    """The handler of a connection, as seen from here."""

    def admit_frame(self) -> bool:
        """Count a frame of any kind; return False when the client sends too many."""

    def disconnect(self, code: CloseCode, reason: str) -> None:
        """Close the connection."""


class BufferedProtocol(tornado.websocket.WebSocketProtocol13):
    """Reads what has come, however many frames it is; Tornado asks the stream for the header, the
    length, the mask and the payload of each.

    Each frame is checked by its head, before Tornado reads the rest: it is counted, and one that
    RFC 6455 forbids closes the connection with the code that the RFC names. Tornado accepts frames
    without a mask, and cuts the connection without a code at most other violations.
    """

    handler: Any  # a WebSocketHandler that is a `FrameHandler`, too
    _unread = b""
    _offset = 0
    _frames_in_turn = 0
    _failed = False

    async def _fill(self, n: int) -> None:
        """Read until at least `n` bytes are there that were not taken."""
        while self._offset + n > len(self._unread):
            more = await self.stream.read_bytes(READ_SIZE, partial=True)
            self._unread = self._unread[self._offset :] + more
            self._offset = 0

    async def _read_bytes(self, n: int) -> bytes:
        end = self._offset + n
        if end > len(self._unread):
            await self._fill(n)
            end = self._offset + n
        data = self._unread[self._offset : end]
        self._offset = end
        self._wire_bytes_in += n
        return data

    async def _receive_frame(self) -> None:
        if self._failed:
            await self._discard()
            return
        self._frames_in_turn += 1
        if self._frames_in_turn == MAX_FRAMES_PER_TURN:
            self._frames_in_turn = 0
            await asyncio.sleep(0)
        await self._fill(2)
        first, second = self._unread[self._offset], self._unread[self._offset + 1]
        if not self.handler.admit_frame():
            self._fail(CloseCode.TOO_MANY_FRAMES, "too many frames")
        elif violation := self._violation(first, second):
            self._fail(CloseCode.PROTOCOL_ERROR, violation)
        elif await self._is_too_big(first, second):
            self._fail(CloseCode.MESSAGE_TOO_BIG, "message too big")
        else:
            await super()._receive_frame()

    def _violation(self, first: int, second: int) -> str | None:
        """Return which rule of RFC 6455 the head of a frame breaks, or None."""
        opcode = first & self.OPCODE_MASK
        final = first & self.FIN
        if not second & 0x80:
            return "frames of a client must be masked"  # 5.1
        if first & self.RSV_MASK or opcode not in OPCODES:
            return "reserved bits or opcode"  # 5.2
        if opcode >= CLOSE:
            fits = final and second & 0x7F < 126
            return None if fits else "a control frame is whole and short"  # 5.5
        if (opcode == 0) != (self._fragmented_message_buffer is not None):
            return "fragments out of order"  # 5.4
        return None

    async def _is_too_big(self, first: int, second: int) -> bool:
        """Tell by the length in the head whether a message exceeds the limit with this frame."""
        length = second & 0x7F
        if length >= 126:
            size, form = (2, "!H") if length == 126 else (8, "!Q")
            await self._fill(2 + size)
            (length,) = struct.unpack_from(form, self._unread, self._offset + 2)
        if self._fragmented_message_buffer is not None and first & self.OPCODE_MASK == 0:
            length += len(self._fragmented_message_buffer)
        return length > self.params.max_message_size

    def _handle_message(self, opcode: int, data: bytes) -> "asyncio.Future[None] | None":
        violation: tuple[CloseCode, str] | None = None
        if opcode == TEXT:
            violation = None if _is_utf8(data) else (CloseCode.INVALID_DATA, "text must be UTF-8")
        elif opcode == CLOSE and data:
            violation = _close_frame_violation(data)
        if violation:
            self._fail(*violation)
            return None
        return super()._handle_message(opcode, data)

    def _fail(self, code: CloseCode, reason: str) -> None:
        """Close the connection, and parse nothing more.

        The stream stays open until the client closes it, for 5 s at the most, Tornado's time limit
        for the answer to a close frame: closed at once, with unread data, it would be reset, and
        the client would possibly never read the code (RFC 1122, 4.2.2.13).
        """
        self.handler.disconnect(code, reason)
        self._failed = True

    async def _discard(self) -> None:
        """Throw away some data, so slowly that a flood costs nothing (TCP holds up the client)."""
        self._unread, self._offset = b"", 0
        await self.stream.read_bytes(READ_SIZE, partial=True)
        await asyncio.sleep(DISCARD_INTERVAL)

    def _write_frame(
        self, fin: bool, opcode: int, data: bytes, flags: int = 0
    ) -> "asyncio.Future[None]":
        """Write a frame of Tornado's: a ping, a pong or a close frame.

        A full buffer of a slow reader raises StreamBufferFullError, which Tornado catches in none
        of the three: its task for pings would end, and the connection would stay open forever.
        """
        try:
            return super()._write_frame(fin, opcode, data, flags)
        except tornado.iostream.StreamBufferFullError:
            self.handler.disconnect(CloseCode.SLOW_CONSUMER, "reading too slowly")
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _close_frame_violation(data: bytes) -> tuple[CloseCode, str] | None:
    """Return the code and the reason to answer a wrong close frame with (RFC 6455, 5.5.1, 7.4)."""
    if len(data) < 2 or int.from_bytes(data[:2]) not in CLOSE_CODES:
        return CloseCode.PROTOCOL_ERROR, "no such close code"
    return None if _is_utf8(data[2:]) else (CloseCode.INVALID_DATA, "a reason must be UTF-8")


def write_now(stream: tornado.iostream.IOStream, data: bytes) -> None:
    """Write to a stream without a buffer, a future and a callback: the system takes nearly all
    data at once. What it does not take waits in the stream.

    Raises:
        StreamBufferFullError: more waits than the stream may hold.
        StreamClosedError: it is closed.
    """
    if not stream.closed() and not stream.writing():
        try:  # noqa: SIM105
            data = data[stream.socket.send(data) :]
        except OSError:  # it would block, or the other side has gone: the stream sees to that
            pass
    if data:
        stream.write(data)
