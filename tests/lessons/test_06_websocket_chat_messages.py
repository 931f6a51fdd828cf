"""Lesson 06: text, bytes, JSON; what is too big or not understood (C216, C218, C228)."""

import asyncio
import json

import tornado.web
from tornado.testing import ExpectLog, gen_test
from tornado.websocket import WebSocketClientConnection, WebSocketHandler

from tests.lessons.websocket_case import WebSocketTestCase
from tests.support.lesson_case import import_script

messages = import_script("06_websocket_chat", "messages")


class MessagesTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        return messages.make_app()

    async def ask(self, socket: WebSocketClientConnection, frame: str | bytes) -> str | bytes:
        await socket.write_message(frame, binary=isinstance(frame, bytes))
        answer = await socket.read_message()
        assert answer is not None
        return answer

    @gen_test
    async def test_json_is_answered_in_json(self) -> None:
        """C218"""
        socket = await self.connect("/messages")
        answer = await self.ask(socket, '{"type": "upper", "text": "grün"}')
        self.assertEqual(json.loads(answer), {"type": "upper", "text": "GRÜN"})

    @gen_test
    async def test_a_list_has_to_be_made_json_by_hand(self) -> None:
        """C218"""
        socket = await self.connect("/messages")
        answer = await self.ask(socket, '{"type": "words", "text": "one two"}')
        self.assertEqual(answer, '["one", "two"]')

    @gen_test
    async def test_bytes_go_both_ways(self) -> None:
        """C216, C218"""
        socket = await self.connect("/messages")
        self.assertEqual(await self.ask(socket, b"\x00\xff"), b"\xff\x00")

    @gen_test
    async def test_what_is_not_understood_is_answered_and_the_connection_lives(self) -> None:
        """C223: an exception in on_message() would have closed it."""
        socket = await self.connect("/messages")
        for frame, reason in [
            ("{", "not JSON"),
            ("", "not JSON"),
            ("[" * 60_000, "not JSON"),
            ("1" * 60_000, "not JSON"),
            ("[]", "no such type"),
            ("null", "no such type"),
            ('{"type": "sing"}', "no such type"),
            ('{"type": "upper", "text": 7}', "no such type"),
        ]:
            with self.subTest(frame=frame[:40]):
                answer = json.loads(await self.ask(socket, frame))
                self.assertEqual(answer["type"], "error")
                self.assertIn(reason, answer["reason"])

    @gen_test
    async def test_half_a_letter_from_a_client_can_be_sent_back(self) -> None:
        """C218: JSON may hold a lone surrogate, which UTF-8 cannot; escaped it goes out again."""
        socket = await self.connect("/messages")
        answer = await self.ask(socket, r'{"type": "upper", "text": "\ud800"}')
        self.assertEqual(json.loads(answer)["text"], "\ud800")

    @gen_test
    async def test_a_message_over_the_limit_closes_with_1009(self) -> None:
        """C228"""
        socket = await self.connect("/messages")
        answer = await self.ask(socket, bytes(messages.MAX_BYTES))
        self.assertEqual(len(answer), messages.MAX_BYTES)
        await socket.write_message(bytes(messages.MAX_BYTES + 1), binary=True)
        self.assertIsNone(await socket.read_message())
        self.assertIn(socket.close_code, (1009, None))  # the rest of it may reset the connection

    @gen_test
    async def test_the_limit_is_told_before_the_message_has_come(self) -> None:
        """C228: the header of the frame is enough, so nothing of it is kept."""
        stream = await self.peer("/messages")
        size = messages.MAX_BYTES + 1
        await stream.write(b"\x82\xff" + size.to_bytes(8, "big"))
        self.assertEqual(await stream.read_bytes(4), b"\x88\x11" + (1009).to_bytes(2, "big"))
        self.assertEqual(await stream.read_bytes(15), b"message too big")

    @gen_test
    async def test_text_that_is_not_utf8_closes_the_connection(self) -> None:
        """C216: RFC 6455 leaves no choice."""
        stream = await self.peer("/messages")
        await stream.write(b"\x81\x81\x00\x00\x00\x00\xff")
        self.assertEqual(await stream.read_until_close(), b"")


class WriteHandler(WebSocketHandler):
    """Writes what no client can send: the values that write_message() refuses."""

    async def on_message(self, message: str | bytes) -> None:
        value = self.settings["values"][int(message)]
        try:
            await self.write_message(value)
        except Exception as error:
            self.write_message(f"{type(error).__name__}: {error}")


class WriteMessageTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        values = [[1], 5, None, {"a": "ë"}, b"bytes", "text"]
        return tornado.web.Application([("/", WriteHandler)], values=values)

    @gen_test
    async def test_only_text_bytes_and_dicts_can_be_written(self) -> None:
        """C218: and bytes without binary=True leave as text."""
        socket = await self.connect("/")
        answers = []
        for number in range(6):
            await socket.write_message(str(number))
            answers.append(await socket.read_message())
        self.assertEqual(
            answers[:2],
            [
                "TypeError: Expected bytes, unicode, or None; got <class 'list'>",
                "TypeError: Expected bytes, unicode, or None; got <class 'int'>",
            ],
        )
        self.assertRegex(str(answers[2]), "^AssertionError")
        self.assertEqual(answers[3:], ['{"a": "\\u00eb"}', "bytes", "text"])


class OrderHandler(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        self.settings["order"].append(f"begin {message!r}")
        self.settings["begun"].set()
        await self.settings["go_on"].wait()
        self.settings["order"].append(f"end {message!r}")
        self.write_message(message)


class OrderTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        self.order: list[str] = []
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        return tornado.web.Application(
            [("/", OrderHandler)], order=self.order, begun=self.begun, go_on=self.go_on
        )

    @gen_test
    async def test_while_on_message_waits_the_next_message_does(self) -> None:
        """C216: on_message() may be a coroutine; the messages of one peer keep their order."""
        socket = await self.connect("/")
        await socket.write_message("1")
        await socket.write_message("2")
        await self.begun.wait()
        self.go_on.set()
        await socket.read_message()
        await socket.read_message()
        self.assertEqual(self.order, ["begin '1'", "end '1'", "begin '2'", "end '2'"])


class RaisingHandler(WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.write_message([1])  # type: ignore[arg-type]


class RaisingTest(WebSocketTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application([("/", RaisingHandler)])

    @gen_test
    async def test_a_list_that_is_not_made_json_costs_the_connection(self) -> None:
        """C218"""
        socket = await self.connect("/")
        with ExpectLog("tornado.application", "Uncaught exception"):
            await socket.write_message("x")
            self.assertIsNone(await socket.read_message())
