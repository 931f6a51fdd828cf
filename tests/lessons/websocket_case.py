"""Test cases that open WebSockets, and a peer so bare that it answers nothing by itself."""

from collections.abc import Mapping

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient
from tornado.testing import AsyncHTTPTestCase
from tornado.websocket import WebSocketClientConnection, websocket_connect

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the example of RFC 6455, and what a server must make of it
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


class WebSocketTestCase(AsyncHTTPTestCase):
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
        lines = {"Host": f"127.0.0.1:{self.get_http_port()}", **UPGRADE, **(headers or {})}
        head = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items())]
        await stream.write("\r\n".join([*head, "", ""]).encode())
        answer = await stream.read_until(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        return stream
