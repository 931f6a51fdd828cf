"""Test cases that open WebSockets, and a peer so bare that it answers nothing by itself."""

from collections.abc import Mapping

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient
from tornado.testing import AsyncHTTPTestCase
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.support.lesson_case import LogTestCase
from tests.support.websocket_frames import UPGRADE_HEADERS, handshake

KEY = UPGRADE_HEADERS["Sec-WebSocket-Key"]
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""What a server must make of that key (RFC 6455, 1.3)."""


class WebSocketTestCase(LogTestCase, AsyncHTTPTestCase):
    """Opens WebSockets and closes those that a test leaves open."""

    def setUp(self) -> None:
        super().setUp()
        self.opened: list[WebSocketClientConnection] = []

    def tearDown(self) -> None:
        for socket in self.opened:
            socket.close()
        super().tearDown()

    def socket_url(self, path: str) -> str:
        return self.get_url(path).replace("http", "ws", 1)

    async def connect(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> WebSocketClientConnection:
        request = HTTPRequest(self.socket_url(path), headers=dict(headers or {}))
        socket = await websocket_connect(request)
        self.opened.append(socket)
        return socket

    async def status(self, path: str, headers: Mapping[str, str] | None = None) -> int:
        """What a handshake is answered: 101, or why there is no socket."""
        try:
            await self.connect(path, headers)
        except HTTPClientError as refused:
            return refused.code
        return 101

    async def peer(self, path: str, headers: Mapping[str, str] | None = None) -> IOStream:
        """Open a WebSocket and leave it to the test what to do with it: no pong, no close."""
        stream = await TCPClient().connect("127.0.0.1", self.get_http_port())
        self.addCleanup(stream.close)
        await stream.write(handshake(f"127.0.0.1:{self.get_http_port()}", headers, path))
        answer = await stream.read_until(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        return stream
