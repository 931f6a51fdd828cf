"""Lesson 06: pings, and peers that do not answer (C227)."""

import asyncio
import logging

import tornado.web
from tornado.testing import gen_test
from tornado.websocket import WebSocketHandler, WebSocketProtocol13, websocket_connect

from tests.lessons.websocket_case import WebSocketTestCase
from tests.support.lesson_case import import_script

ping = import_script("06_websocket_chat", "ping")

PING, PONG, CLOSE = b"\x89", b"\x8a", b"\x88"


class PingTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        return ping.make_app(interval=1)

    @gen_test
    async def test_the_way_there_and_back_is_measured(self) -> None:
        """C227: on_pong() gets the data of the ping."""
        socket = await self.connect("/ping")
        await socket.write_message("Send a ping")
        answer = await socket.read_message()
        self.assertRegex(str(answer), r"^\d+\.\d\d ms there and back$")

    @gen_test
    async def test_a_pong_that_nobody_asked_for_is_no_error(self) -> None:
        """C227"""
        socket = await self.connect("/ping")
        stream = await self.peer("/ping")
        await stream.write(PONG + b"\x83\x00\x00\x00\x00abc")
        await socket.write_message("still served")
        self.assertIn("there and back", str(await socket.read_message()))

    @gen_test
    async def test_who_answers_pings_stays(self) -> None:
        """C227"""
        stream = await self.peer("/ping")
        for _ in range(2):
            self.assertEqual(await stream.read_bytes(2), PING + b"\x00")
            await stream.write(PONG + b"\x80\x00\x00\x00\x00")
        self.assertFalse(stream.closed())


class SilentTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        return ping.make_app(interval=0.05)

    @gen_test
    async def test_a_silent_peer_is_closed(self) -> None:
        """C227: a ping, no pong, a close frame; five seconds later the connection itself."""
        stream = await self.peer("/ping")
        self.assertEqual(await stream.read_bytes(2), PING + b"\x00")
        self.assertEqual(await stream.read_bytes(4), CLOSE + b"\x10" + (1000).to_bytes(2, "big"))
        self.assertEqual(await stream.read_bytes(14), b"ping timed out")
        began = self.io_loop.time()
        self.assertEqual(await stream.read_until_close(), b"")
        self.assertGreater(self.io_loop.time() - began, 1)


class OpenHandler(WebSocketHandler):
    def open(self) -> None:
        assert isinstance(self.ws_connection, WebSocketProtocol13)
        self.settings["timeouts"].append(self.ws_connection.ping_timeout)


class TimeoutTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        self.timeouts: list[float] = []
        return tornado.web.Application(
            [("/", OpenHandler)],
            timeouts=self.timeouts,
            websocket_ping_interval=7,
            websocket_ping_timeout=30,
        )

    @gen_test
    async def test_a_timeout_above_the_interval_is_cut_and_the_log_says_so(self) -> None:
        """C227"""
        with self.caplog.at_level(logging.WARNING, "tornado.general"):
            await self.connect("/")
        self.assertEqual(self.timeouts, [7])
        self.assertIn("cannot be longer than the websocket_ping_interval", self.caplog.text)


class PingedHandler(WebSocketHandler):
    def on_ping(self, data: bytes) -> None:
        self.settings["pinged"].set()


class PingedTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        self.pinged = asyncio.Event()
        return tornado.web.Application([("/", PingedHandler)], pinged=self.pinged)

    @gen_test
    async def test_a_client_may_ping_too(self) -> None:
        """C227"""
        self.opened.append(await websocket_connect(self.socket_url("/"), ping_interval=0.05))
        await self.pinged.wait()
