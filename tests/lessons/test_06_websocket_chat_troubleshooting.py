"""Lesson 06: the messages of TROUBLESHOOTING.md, provoked. The rest is where each one belongs."""

from collections.abc import Callable

import tornado.web
from tornado.testing import gen_test
from tornado.websocket import WebSocketHandler

from tests.lessons.websocket_case import WebSocketTestCase


class DeafHandler(WebSocketHandler):
    def on_mesage(self, message: str | bytes) -> None:
        raise AssertionError("never called")


class DoHandler(WebSocketHandler):
    """Does what the route says instead of a thing of its own."""

    def initialize(self, do: Callable[[WebSocketHandler], object]) -> None:
        self.do = do

    def on_message(self, message: str | bytes) -> None:
        self.do(self)


def write_to_a_closed_member(handler: WebSocketHandler) -> None:
    handler.close()
    handler.write_message("too late")


IN_THE_LOG = {
    "WebSocketClosedError": write_to_a_closed_member,
    "Method not supported for Web Sockets": lambda handler: handler.set_cookie("a", "b"),
    "Expected bytes, unicode, or None; got <class 'list'>": lambda handler: handler.write_message(
        ["a"]
    ),
}


class TroubleshootingTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        does = [
            (f"/{number}", DoHandler, {"do": do}) for number, do in enumerate(IN_THE_LOG.values())
        ]
        return tornado.web.Application([("/deaf", DeafHandler), *does])

    async def log_of(self, path: str) -> str:
        """What the server logs when the socket there has got its first message."""
        self.caplog.clear()
        socket = await self.connect(path)
        await socket.write_message("Hello")
        self.assertIsNone(await socket.read_message())
        return self.caplog.text

    @gen_test
    async def test_a_handler_that_fails_says_so_in_the_log(self) -> None:
        """C216, C218, C228"""
        for number, message in enumerate(IN_THE_LOG):
            with self.subTest(message=message):
                self.assertIn(message, await self.log_of(f"/{number}"))

    @gen_test
    async def test_a_handler_that_cannot_hear_says_so_in_the_log(self) -> None:
        """C216"""
        self.assertIn("NotImplementedError", await self.log_of("/deaf"))
