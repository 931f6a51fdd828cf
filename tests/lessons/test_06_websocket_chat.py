"""Lesson 06: the handshake, the echo, and the life of a connection (C213-C219, C228)."""

import asyncio
import json

import tornado.web
from tornado.testing import AsyncHTTPTestCase, ExpectLog, gen_test
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from tests.lessons.websocket_case import ACCEPT, KEY, WebSocketTestCase
from tests.support.lesson_case import import_script, json_of
from tests.support.websocket_frames import UPGRADE_HEADERS

app = import_script("06_websocket_chat", "app")
life = import_script("06_websocket_chat", "life")


class EchoTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        return app.make_app()

    @gen_test
    async def test_text_comes_back_as_text_and_bytes_as_bytes(self) -> None:
        socket = await self.connect("/echo")
        for message in ("Hello", "Grüß dich", "", b"\xff\x00"):
            await socket.write_message(message, binary=isinstance(message, bytes))
            self.assertEqual(await socket.read_message(), message)

    def test_a_plain_get_is_400(self) -> None:
        """C228"""
        response = self.fetch("/echo")
        self.assertEqual(response.code, 400)
        self.assertEqual(response.body, b'Can "Upgrade" only to "WebSocket".')

    def test_a_handshake_that_is_not_complete_is_400(self) -> None:
        """C213"""
        for name in ("Connection", "Sec-WebSocket-Key"):
            with self.subTest(without=name):
                headers = {key: value for key, value in UPGRADE_HEADERS.items() if key != name}
                self.assertEqual(self.fetch("/echo", headers=headers).code, 400)

    def test_another_version_of_the_protocol_is_426(self) -> None:
        """C213: Tornado 6.6 speaks version 13 and no other."""
        for version in ("8", "12"):
            response = self.fetch(
                "/echo", headers=UPGRADE_HEADERS | {"Sec-WebSocket-Version": version}
            )
            self.assertEqual(response.code, 426)
            self.assertEqual(response.headers["Sec-WebSocket-Version"], "13")

    @gen_test
    async def test_the_handshake_is_101_and_proves_that_the_key_was_read(self) -> None:
        """C213"""
        socket = await self.connect("/echo", {"Sec-WebSocket-Key": KEY})
        assert socket.headers is not None
        self.assertEqual(socket.headers["Upgrade"], "websocket")
        self.assertEqual(socket.headers["Connection"], "Upgrade")
        self.assertNotIn("Content-Type", socket.headers)
        stream = await self.peer("/echo")
        self.assertFalse(stream.closed())

    def test_the_proof_is_that_of_the_standard(self) -> None:
        """C213: RFC 6455, section 1.3."""
        self.assertEqual(WebSocketProtocol13.compute_accept_value(KEY), ACCEPT)

    def test_the_page_opens_the_socket_of_its_script(self) -> None:
        """C222"""
        page = self.fetch("/").body.decode()
        self.assertIn('data-path="/echo"', page)
        self.assertIn("/static/console.js?v=", page)


class Steps(list[str]):
    """The steps of a life; `closed` tells that it has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = asyncio.Event()

    def append(self, step: str) -> None:
        super().append(step)
        if step.startswith("on_close"):
            self.closed.set()


class LifeTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        app = life.make_app()
        self.steps = app.settings["steps"] = Steps()
        return app

    @gen_test
    async def test_the_life_of_a_connection_that_the_client_closes(self) -> None:
        """C215, C216, C217"""
        socket = await self.connect("/life/Ada?greeting=Welcome")
        self.assertEqual(await socket.read_message(), "Welcome, Ada")
        await socket.write_message("Hi")
        self.assertEqual(await socket.read_message(), "Ada said 'Hi'")
        socket.close(1000, "enough")
        self.assertIsNone(await socket.read_message())
        self.assertEqual(
            self.steps,
            ["prepare", "on_finish", "open", "on_message 'Hi'", "on_close 1000 enough"],
        )

    @gen_test
    async def test_the_server_closes_with_a_code_and_a_reason(self) -> None:
        """C217, C219"""
        socket = await self.connect("/life/Ada")
        await socket.read_message()
        await socket.write_message("close")
        self.assertIsNone(await socket.read_message())
        self.assertEqual((socket.close_code, socket.close_reason), (4000, "Goodbye, Ada"))
        await self.steps.closed.wait()
        self.assertEqual(self.steps[-1], "on_close 4000 None")  # the code that came back

    @gen_test
    async def test_a_connection_that_breaks_has_no_code(self) -> None:
        """C217"""
        stream = await self.peer("/life/Ada")
        stream.close()
        await self.steps.closed.wait()
        self.assertEqual(self.steps[-1], "on_close None None")

    @gen_test
    async def test_an_exception_closes_the_connection_without_a_code(self) -> None:
        """C216"""
        socket = await self.connect("/life/Ada")
        await socket.read_message()
        with ExpectLog("tornado.application", "Uncaught exception GET /life/Ada"):
            await socket.write_message("crash")
            self.assertIsNone(await socket.read_message())
        self.assertIsNone(socket.close_code)
        await self.steps.closed.wait()
        self.assertEqual(self.steps[-1], "on_close None None")

    @gen_test
    async def test_after_the_upgrade_a_header_is_a_runtime_error(self) -> None:
        """C228"""
        socket = await self.connect("/life/Ada")
        await socket.read_message()
        await socket.write_message("header")
        self.assertEqual(
            await socket.read_message(), "RuntimeError: Method not supported for Web Sockets"
        )

    def test_the_steps_are_told_once(self) -> None:
        """C217"""
        self.steps.append("open")
        self.assertEqual(json_of(self.fetch("/steps")), {"steps": ["open"]})
        self.assertEqual(json_of(self.fetch("/steps")), {"steps": []})


class NothingHandler(WebSocketHandler):
    pass


class CookieHandler(WebSocketHandler):
    def open(self) -> None:
        self.write_message({"cookie": self.get_cookie("a"), "query": self.get_argument("q")})

    def on_message(self, message: str | bytes) -> None:
        getattr(self, str(message))("x")


class SlowOpenHandler(WebSocketHandler):
    async def open(self) -> None:
        await self.settings["may_open"].wait()
        self.write_message("open")

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message)


class LateHandler(WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.close()
        self.write_message("too late")


class DetailsTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        self.may_open = asyncio.Event()
        return tornado.web.Application(
            [
                ("/nothing", NothingHandler),
                ("/cookie", CookieHandler),
                ("/slow-open", SlowOpenHandler),
                ("/late", LateHandler),
            ],
            may_open=self.may_open,
        )

    @gen_test
    async def test_without_on_message_the_first_message_closes_the_connection(self) -> None:
        """C216"""
        socket = await self.connect("/nothing")
        with ExpectLog("tornado.application", "Uncaught exception"):
            await socket.write_message("Hello")
            self.assertIsNone(await socket.read_message())

    @gen_test
    async def test_open_has_the_cookies_and_the_query_of_the_handshake(self) -> None:
        """C215"""
        socket = await self.connect("/cookie?q=1", {"Cookie": "a=b"})
        message = await socket.read_message()
        assert message is not None
        self.assertEqual(json.loads(message), {"cookie": "b", "query": "1"})

    @gen_test
    async def test_what_belongs_to_the_response_is_over_after_the_upgrade(self) -> None:
        """C228"""
        for method in ("write", "set_cookie", "set_header", "redirect", "finish"):
            with self.subTest(method=method):
                socket = await self.connect("/cookie?q=1")
                await socket.read_message()
                with ExpectLog("tornado.application", "Uncaught exception"):
                    await socket.write_message(method)
                    self.assertIsNone(await socket.read_message())

    @gen_test
    async def test_messages_wait_until_an_async_open_has_returned(self) -> None:
        """C215"""
        socket = await self.connect("/slow-open")
        await socket.write_message("early")
        self.may_open.set()
        self.assertEqual(await socket.read_message(), "open")
        self.assertEqual(await socket.read_message(), "early")

    @gen_test
    async def test_writing_to_a_closed_connection_raises(self) -> None:
        """C218"""
        socket = await self.connect("/late")
        with ExpectLog("tornado.application", "Uncaught exception"):
            await socket.write_message("Hello")
            self.assertIsNone(await socket.read_message())


class PlainTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return life.make_app()

    def test_other_http_methods_are_405(self) -> None:
        """C228: a handshake is a GET."""
        for verb in ("HEAD", "POST"):
            response = self.fetch("/life/Ada", method=verb, allow_nonstandard_methods=True)
            self.assertEqual(response.code, 405)
