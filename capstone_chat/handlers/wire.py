"""Tornado's WebSocket with fewer steps where a busy chat takes most of them.

Both halves rest on how Tornado 6 is made inside; `tests/capstone/test_wire.py` notices a change.
"""

import tornado.iostream
import tornado.websocket

CHUNK = 64 * 1024
"""Bytes to read at once at the most."""


class BufferedProtocol(tornado.websocket.WebSocketProtocol13):
    """Reads what has come, however many frames it is; Tornado asks the stream for the header, the
    length, the mask and the payload of each."""

    _unread = b""
    _taken = 0

    async def _read_bytes(self, n: int) -> bytes:
        end = self._taken + n
        while end > len(self._unread):
            more = await self.stream.read_bytes(CHUNK, partial=True)
            self._unread = self._unread[self._taken :] + more
            self._taken, end = 0, n
        data = self._unread[self._taken : end]
        self._taken = end
        self._wire_bytes_in += n
        return data


def write(stream: tornado.iostream.IOStream, data: bytes) -> None:
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
