"""Lesson 01: what Tornado is made of, and what runs inside it (C001, C002, C004-C006, C333)."""

import asyncio
import concurrent.futures
import importlib.util
import inspect
import logging
import re
from unittest import mock

import pytest
import tornado.httpserver
import tornado.iostream
import tornado.tcpclient
import tornado.tcpserver
import tornado.web
import tornado.websocket
from tornado.testing import AsyncTestCase, bind_unused_port, gen_test

from tests.support.lesson_case import RoutesHTTPTestCase, import_script, json_of

line_protocol = import_script("01_hello", "line_protocol")
wsgi = import_script("01_hello", "wsgi")
three_ways = import_script("06_websocket_chat", "three_ways")


class LineProtocolTest(AsyncTestCase):
    @pytest.fixture(autouse=True)
    def keep_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        self.caplog = caplog
        caplog.set_level(logging.INFO)

    def setUp(self) -> None:
        super().setUp()
        self.server = line_protocol.MoonServer()
        listening, self.port = bind_unused_port()
        self.server.add_sockets([listening])

    def tearDown(self) -> None:
        self.server.stop()
        super().tearDown()

    async def connect(self) -> tornado.iostream.IOStream:
        return await tornado.tcpclient.TCPClient().connect("127.0.0.1", self.port)

    @gen_test
    async def test_lines_are_answered_however_they_arrive(self) -> None:
        """C333: two lines in one packet, and one line in two."""
        stream = await self.connect()
        await stream.write(b"moons mars\nmoons ve")
        self.assertEqual(await stream.read_until(b"\n"), b"ok Phobos, Deimos\n")
        await stream.write(b"nus\n\xff\n")
        self.assertEqual(await stream.read_until(b"\n"), b"error\n")
        self.assertEqual(await stream.read_until(b"\n"), b"error\n")
        stream.close()

    @gen_test
    async def test_a_long_line_ends_the_connection(self) -> None:
        """C333"""
        stream = await self.connect()
        await stream.write(b"x" * (line_protocol.MAX_LINE + 1))
        with self.assertRaises(tornado.iostream.StreamClosedError):
            await stream.read_until(b"\n")
        self.assertIn("not found within 100 bytes", self.caplog.text)

    @gen_test
    async def test_a_silent_client_is_disconnected(self) -> None:
        """C333"""
        self.server.patience = 0.05
        stream = await self.connect()
        with self.assertRaises(tornado.iostream.StreamClosedError):
            await stream.read_until(b"\n")
        self.assertIn("A client was silent", self.caplog.text)

    @gen_test
    async def test_a_client_that_leaves_is_no_error(self) -> None:
        """C333"""
        ended = asyncio.Event()
        original = line_protocol.MoonServer.handle_stream

        async def handle_stream(stream: tornado.iostream.IOStream, address: object) -> None:
            await original(self.server, stream, address)
            ended.set()

        self.server.handle_stream = handle_stream
        (await self.connect()).close()
        await ended.wait()
        self.assertNotIn("Closed:", self.caplog.text)
        self.assertFalse([one for one in self.caplog.records if one.levelno >= logging.WARNING])


class ClientPageTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.server = line_protocol.MoonServer()
        listening, port = bind_unused_port()
        self.server.add_sockets([listening])
        return line_protocol.make_app(port)

    def tearDown(self) -> None:
        self.server.stop()
        super().tearDown()

    def test_the_page_is_a_client_of_the_server(self) -> None:
        self.assertEqual(self.text("/"), "ok Phobos, Deimos\n")
        self.assertEqual(self.text("/?line=moons+earth%0Amoons+mars"), "error\n")
        self.assertEqual(self.get("/?line=" + "x" * 200).code, 502)


def test_the_parts_of_tornado_build_on_each_other() -> None:
    """C002: the HTTP server is a TCPServer, and its connections are IOStreams."""
    assert issubclass(tornado.httpserver.HTTPServer, tornado.tcpserver.TCPServer)
    assert issubclass(tornado.websocket.WebSocketHandler, tornado.web.RequestHandler)


class WSGITest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.threads = concurrent.futures.ThreadPoolExecutor(3)
        return wsgi.make_app(self.threads)

    def tearDown(self) -> None:
        self.threads.shutdown()
        super().tearDown()

    def test_the_application_is_hosted_at_both_places(self) -> None:
        """C004"""
        for path in ("/loop/a", "/b"):
            self.assertEqual(self.text(path), f"WSGI at {path}\n")

    def test_in_the_event_loop_it_blocks_and_in_threads_it_does_not(self) -> None:
        """C004: the longest pause of the event loop, measured by the page."""
        with mock.patch.object(wsgi, "SECONDS", 0.1):
            self.assertGreaterEqual(self.pause("loop"), 0.1)
            # Other work on the machine pauses it too, so one of some tries is enough.
            self.assertTrue(any(self.pause("threads") < 0.1 for _ in range(20)))

    def pause(self, place: str) -> float:
        """Return the longest pause in seconds."""
        return float(re.findall(r"for (\d\.\d) s", self.text(f"/pulse/{place}"))[0])


def test_tornado_comes_from_facebook() -> None:
    """C001: the copyright notice, from the year of its publication."""
    assert "# Copyright 2009 Facebook" in inspect.getsource(tornado.web)


def test_tornado_brings_no_database_and_no_admin_page() -> None:
    """C005: what Django has and Tornado leaves to libraries."""
    for name in ("database", "db", "orm", "admin", "sessions", "migrations"):
        assert importlib.util.find_spec(f"tornado.{name}") is None


class OneApplicationTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return three_ways.make_app()

    @gen_test
    async def test_one_program_serves_files_an_api_and_a_live_connection(self) -> None:
        """C006"""
        page = await self.http_client.fetch(self.get_url("/"))
        self.assertIn(b"<!doctype html>", page.body)
        script = await self.http_client.fetch(self.get_url("/static/three_ways.js"))
        self.assertIn("javascript", script.headers["Content-Type"])
        live = await tornado.websocket.websocket_connect(
            self.get_url("/socket").replace("http", "ws")
        )
        await live.write_message("hello")
        await live.read_message()
        api = await self.http_client.fetch(self.get_url("/poll?after=0"))
        self.assertEqual(json_of(api)["messages"][0]["text"], "hello")
        live.close()
