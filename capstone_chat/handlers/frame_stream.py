"""Stream of a client's connection that checks frames before Tornado reads them.

It overrides documented methods of `tornado.iostream.IOStream` only.
"""

import asyncio
import socket
import sys
from collections.abc import Awaitable
from typing import Any, NoReturn, Protocol

import tornado.iostream

from capstone_chat.handlers.frame_checker import FrameChecker, ViolationError
from capstone_chat.realtime.protocol import CloseCode

READ_SIZE = 64 * 1024
"""Maximum number of bytes in one read."""

TEXTS_BEFORE_YIELD = 32
"""Number of texts of a connection after which others get their turn: much data may wait in it."""

DISCARD_INTERVAL = 0.1
"""Seconds between two reads of data that is discarded."""


class FrameHandler(Protocol):
    """Methods of a connection's handler that the stream calls."""

    def admit_frame(self) -> bool:
        """Count a frame of any opcode; return False if the client has sent too many."""

    def disconnect(self, code: CloseCode, reason: str) -> None:
        """Unregister the connection and send a close frame with this code."""

    def on_message(self, message: str) -> Awaitable[None] | None:
        """Carry out a message; the next frame is read after the awaitable is done."""

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """Log an exception of `on_message`."""


class FrameStream(tornado.iostream.IOStream):
    """Stream that can be told that its client sends frames from now on; see `check_frames`."""

    # A dict of more than 30 attributes, with those of Tornado, would take 1.3 KiB more.
    __slots__ = ("_checked", "_checker", "_handler", "_may_be_writing", "_texts")

    def __init__(self, connection: socket.socket, **limits: Any) -> None:
        super().__init__(connection, **limits)
        self._handler: FrameHandler | None = None
        self._may_be_writing = True
        """Whether `write` was called, so that `writing` has to be asked, which takes two calls."""

    def check_frames(self, handler: FrameHandler, max_message_size: int) -> None:
        """Check all data that is read from now on as frames of a WebSocket.

        A violation of RFC 6455 or of a limit disconnects the client with the code that the RFC
        defines. A write that exceeds `max_write_buffer_size` disconnects it as a slow consumer.

        Args:
            handler: the handler of the connection.
            max_message_size: maximum number of bytes in the payload of a message.
        """
        self._handler = handler
        self._checker = FrameChecker(max_message_size, handler.admit_frame)
        self._checked = bytearray()
        self._texts = 0

    def read_bytes(self, num_bytes: int, partial: bool = False) -> Awaitable[bytes]:
        """Read bytes; after `check_frames` only of frames that have been checked."""
        if self._handler is None:
            return super().read_bytes(num_bytes, partial)
        return self._read_checked(self._handler, num_bytes)

    async def _read_checked(self, handler: FrameHandler, num_bytes: int) -> bytes:
        while len(self._checked) < num_bytes:
            try:
                frame = self._checker.next_frame()
            except ViolationError as violation:
                handler.disconnect(violation.code, violation.reason)
                await self._discard_input()
            if frame is None:
                self._checker.feed(await super().read_bytes(READ_SIZE, partial=True))
            elif isinstance(frame, str):
                await self._handle_text(handler, frame)
            else:
                self._checked += frame
        data = bytes(self._checked[:num_bytes])
        del self._checked[:num_bytes]
        return data

    async def _handle_text(self, handler: FrameHandler, text: str) -> None:
        """Give a text to the handler as Tornado does; an exception closes the connection.

        Tornado would parse and unmask the frame again, with 60 calls of Python functions. All other
        work for a message that comes alone takes 300 calls (benchmarks/NOTES.md).

        Raises:
            StreamClosedError: the handler has raised an exception.
        """
        try:
            handled = handler.on_message(text)
            if handled is not None:
                await handled
        except (Exception, asyncio.CancelledError):
            handler.log_exception(*sys.exc_info())
            self.close()
            raise tornado.iostream.StreamClosedError from None
        self._texts += 1
        if self._texts % TEXTS_BEFORE_YIELD == 0:
            await asyncio.sleep(0)

    async def _discard_input(self) -> NoReturn:
        """Read and discard data until the stream is closed, with a pause after each read.

        The TCP connection stays open until the client closes it, at most for the 5 s in which
        Tornado waits for the client's close frame. If it were closed at once with unread data, it
        would be reset, and the client might not receive the close code (RFC 1122, 4.2.2.13).

        The pause limits the cost of a flood: the TCP window fills, and the client has to wait.

        Raises:
            StreamClosedError: the stream is closed.
        """
        while True:
            await super().read_bytes(READ_SIZE, partial=True)
            await asyncio.sleep(DISCARD_INTERVAL)

    def write(self, data: bytes | memoryview) -> "asyncio.Future[None]":
        """Write data; after `check_frames`, disconnect a slow consumer.

        Tornado does not expect StreamBufferFullError from a ping, a pong or a close frame: its task
        that sends pings would end, and the connection would stay open for ever.

        Raises:
            StreamBufferFullError: the buffer would exceed `max_write_buffer_size`, and the client
                sends no frames.
            StreamClosedError: the stream is closed.
        """
        self._may_be_writing = True
        try:
            return super().write(data)
        except tornado.iostream.StreamBufferFullError:
            if self._handler is None:
                raise
            self._handler.disconnect(CloseCode.SLOW_CONSUMER, "reading too slowly")
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done

    def write_now(self, data: bytes) -> None:
        """Write to the operating system directly, without a future and a callback.

        The operating system accepts nearly all data at once. The rest is buffered in the stream.

        Raises:
            StreamClosedError: the stream is closed.
        """
        if self._may_be_writing:
            self._may_be_writing = self.writing()
        if not self._may_be_writing and self.socket is not None:  # None: the stream is closed
            try:
                accepted = self.socket.send(data)
            except OSError:  # EAGAIN, or the client has disconnected: `write` handles both
                accepted = 0
            if accepted == len(data):
                return
            data = data[accepted:]
        self.write(data)
