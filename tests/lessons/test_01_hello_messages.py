"""Lesson 01: the messages of TROUBLESHOOTING.md, provoked."""

import asyncio
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tornado.escape
import tornado.web
from tornado.testing import gen_test

from course.ports import free_port
from tests.support.lesson_case import RoutesHTTPTestCase


class ColourHandler(tornado.web.RequestHandler):
    def initialize(self, colour: str) -> None:
        self.colour = colour


class GetHandler(tornado.web.RequestHandler):
    """Calls what the route says instead of a method of its own."""

    def initialize(self, do: Any) -> None:
        self.do = do

    async def get(self) -> None:
        self.write("sent, if flushed")
        await self.do(self)


class IndexedErrorHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.send_error(409)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish(str(kwargs["exc_info"]))


class NoCaptureHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        raise AssertionError("never reached")


async def write_list(handler: tornado.web.RequestHandler) -> None:
    handler.write([1])  # type: ignore[arg-type]


async def write_late(handler: tornado.web.RequestHandler) -> None:
    handler.redirect("/")
    handler.write("too late")


async def finish_twice(handler: tornado.web.RequestHandler) -> None:
    handler.finish()
    handler.finish()


async def redirect_late(handler: tornado.web.RequestHandler) -> None:
    await handler.flush()
    handler.redirect("/")


async def reverse(handler: tornado.web.RequestHandler) -> None:
    handler.reverse_url("nowhere")


async def body_with_204(handler: tornado.web.RequestHandler) -> None:
    handler.set_status(204)


async def unsafe(handler: tornado.web.RequestHandler) -> None:
    handler.set_header("X-Next", "one\ntwo")


async def no_header(handler: tornado.web.RequestHandler) -> None:
    handler.request.headers.get("Content-Type").startswith("text/")  # type: ignore[union-attr]


async def no_json(handler: tornado.web.RequestHandler) -> None:
    tornado.escape.json_decode("")


async def text_code(handler: tornado.web.RequestHandler) -> None:
    handler.send_error("404")  # type: ignore[arg-type]


async def capital(handler: tornado.web.RequestHandler) -> None:
    handler.Application  # type: ignore[attr-defined]  # noqa: B018


IN_THE_LOG = {
    "write() only accepts bytes, unicode, and dict objects": write_list,
    "Cannot write() after finish()": write_late,
    "finish() called twice": finish_twice,
    "Cannot redirect after headers have been written": redirect_late,
    "Cannot send error response after headers written": redirect_late,
    "not found in named urls": reverse,
    "Cannot send body with status code HTTP204": body_with_204,
    "Unsafe header value": unsafe,
    "'NoneType' object has no attribute 'startswith'": no_header,
    "JSONDecodeError: Expecting value": no_json,
    "'<=' not supported between instances of 'int' and 'str'": text_code,
    "has no attribute 'Application'": capital,
}


class MessagesTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application(
            [
                *[(f"/{do.__name__}", GetHandler, {"do": do}) for do in IN_THE_LOG.values()],
                ("/no-colour", ColourHandler),
                ("/capital-permanent", tornado.web.RedirectHandler, {"url": "/", "Permanent": 1}),
                (r"/capture/(\w+)", NoCaptureHandler),
                ("/indexed", IndexedErrorHandler),
            ]
        )

    def test_a_handler_that_fails_says_so_in_the_log(self) -> None:
        for message, do in IN_THE_LOG.items():
            with self.subTest(message=message):
                self.caplog.clear()
                self.get(f"/{do.__name__}")
                self.assertIn(message, self.caplog.text)

    def test_a_dropped_connection_says_why_in_the_log(self) -> None:
        """C029, C074"""
        for path, message in [
            ("/no-colour", "initialize() missing 1 required positional argument"),
            ("/capital-permanent", "got an unexpected keyword argument 'Permanent'"),
        ]:
            with self.subTest(path=path):
                self.caplog.clear()
                self.assert_dropped(path)
                self.assertIn(message, self.caplog.text)

    def test_a_method_that_does_not_take_the_captures_says_so(self) -> None:
        """C033"""
        self.get("/capture/x")
        self.assertIn("takes 1 positional argument but 2 were given", self.caplog.text)

    def test_an_error_page_that_fails_says_so(self) -> None:
        """C071"""
        self.get("/indexed")
        self.assertIn("Uncaught exception in write_error", self.caplog.text)

    def test_the_default_pages_name_the_status(self) -> None:
        """C012, C028"""
        self.assertIn(b"404: Not Found", self.get("/nowhere").body)
        self.assertIn(b"405: Method Not Allowed", self.post("/capture/x").body)


@pytest.mark.service("curl")
class CurlTest(RoutesHTTPTestCase):
    routes = (("/no-colour", ColourHandler),)

    async def curl(self, url: str) -> str:
        loop = self.io_loop
        done = await loop.run_in_executor(
            None,
            lambda: subprocess.run(
                ["curl", "--silent", "--show-error", url], capture_output=True, encoding="utf-8"
            ),
        )
        return done.stderr

    def test_curl_says_that_the_connection_was_dropped(self) -> None:
        """C029"""
        url = self.get_url("/no-colour")
        said = self.io_loop.run_sync(lambda: self.curl(url))
        self.assertIn("Empty reply from server", said)

    def test_curl_says_that_nobody_listens(self) -> None:
        """C018"""
        port = free_port(0)
        said = self.io_loop.run_sync(lambda: self.curl(f"http://127.0.0.1:{port}/"))
        self.assertIn("Failed to connect", said)


class PlainPortTest(RoutesHTTPTestCase):
    routes = ()

    @gen_test
    async def test_https_to_a_plain_port_waits(self) -> None:
        """The server waits for the end of a request, and the client for the start of TLS."""

        def shake_hands() -> None:
            address = ("127.0.0.1", self.get_http_port())
            with socket.create_connection(address, timeout=0.1) as plain:
                ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")

        with self.assertRaisesRegex(TimeoutError, "handshake operation timed out"):
            await asyncio.to_thread(shake_hands)


def test_a_file_called_tornado_hides_tornado(tmp_path: Path) -> None:
    (tmp_path / "tornado.py").write_text("import tornado.web\n", encoding="utf-8")
    command = [sys.executable, str(tmp_path / "tornado.py")]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert "'tornado' is not a package" in done.stderr


def test_the_decorator_asynchronous_is_gone() -> None:
    with pytest.raises(ImportError, match="cannot import name 'asynchronous'"):
        exec("from tornado.web import asynchronous")
