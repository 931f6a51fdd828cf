"""Frames that are checked before Tornado reads them all arrive, and so do direct writes."""

import asyncio
import os
import random
import socket
import struct
from collections.abc import Iterable
from typing import ClassVar

import tornado.httpserver
import tornado.ioloop
import tornado.iostream
import tornado.netutil
import tornado.testing
import tornado.web
import tornado.websocket
from tornado.testing import gen_test

from capstone_chat.handlers.frame_stream import TEXTS_BEFORE_YIELD, FrameStream
from tests.support.websocket_frames import (
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    client_frame,
    handshake,
)

MAX_SIZE = 1000


class EchoHandler(tornado.websocket.WebSocketHandler):
    """Answers each message by the road that is under test."""

    frames = 0

    def admit_frame(self) -> bool:
        self.frames += 1
        return self.frames <= 600

    handled = handled_before_turn = 0

    def note_turn(self) -> None:
        self.handled_before_turn = self.handled

    open_ones: ClassVar["set[EchoHandler]"] = set()

    def open(self, *_args: str, **_kwargs: str) -> None:
        assert self.ws_connection is not None
        stream = self.ws_connection.stream
        assert isinstance(stream, FrameStream)
        self.stream = stream
        self.stream.check_frames(self, MAX_SIZE)
        self.closed = asyncio.Event()
        self.open_ones.add(self)

    def on_close(self) -> None:
        self.closed.set()
        self.open_ones.discard(self)

    def disconnect(self, code: int, reason: str) -> None:
        self.stream.max_write_buffer_size = None
        self.close(code, reason)

    def on_message(self, message: str | bytes) -> None:
        assert isinstance(message, str)
        self.handled += 1
        if message == "fail":
            raise KeyError("a mistake in the handler")
        if message == "note the others' turn":
            asyncio.get_running_loop().call_soon(self.note_turn)
        payload = message.encode()
        self.stream.write_now(struct.pack("!BBH", 0x81, 126, len(payload)) + payload)


class EchoServer(tornado.httpserver.HTTPServer):
    """Gives each connection a `FrameStream`."""

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        self.listening = list(sockets)
        for listening in self.listening:
            tornado.netutil.add_accept_handler(
                listening, lambda accepted, peer: self.handle_stream(FrameStream(accepted), peer)
            )

    def stop(self) -> None:
        for listening in self.listening:
            tornado.ioloop.IOLoop.current().remove_handler(listening)
            listening.close()


def frame(payload: bytes, opcode: int = TEXT, *, final: bool = True) -> bytes:
    """A frame as a browser sends it, with a mask of its own."""
    return client_frame(opcode, payload, final=final, mask=os.urandom(4))


class ReadTest(tornado.testing.AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application([("/", EchoHandler)])

    def get_http_server(self) -> EchoServer:
        return EchoServer(self._app)

    async def connect(self) -> tornado.iostream.IOStream:
        client = tornado.iostream.IOStream(socket.socket())
        self.addCleanup(client.close)
        await client.connect(("127.0.0.1", self.get_http_port()))
        await client.write(handshake(f"127.0.0.1:{self.get_http_port()}", path="/"))
        await client.read_until(b"\r\n\r\n")
        return client

    async def echo(self, client: tornado.iostream.IOStream) -> bytes:
        _, _, length = struct.unpack("!BBH", await client.read_bytes(4))
        return await client.read_bytes(length)

    @gen_test
    async def test_many_frames_in_one_read_all_arrive_in_order(self) -> None:
        client = await self.connect()
        texts = [b"%d" % n * (n % 90 + 1) for n in range(500)]
        await client.write(b"".join(map(frame, texts)))
        self.assertEqual([await self.echo(client) for _ in texts], texts)

    @gen_test
    async def test_others_get_their_turn_while_a_client_sends_many_texts_at_once(self) -> None:
        client = await self.connect()
        texts = [b"note the others' turn", *[b"more"] * 200]
        await client.write(b"".join(map(frame, texts)))
        self.assertEqual([await self.echo(client) for _ in texts], texts)
        (handler,) = EchoHandler.open_ones
        self.assertIn(handler.handled_before_turn, range(1, TEXTS_BEFORE_YIELD + 1))

    @gen_test
    async def test_a_mistake_in_the_handler_is_logged_and_closes_the_connection(self) -> None:
        client = await self.connect()
        with self.assertLogs("tornado.application", "ERROR") as logs:
            await client.write(frame(b"fail") + frame(b"too late"))
            with self.assertRaises(tornado.iostream.StreamClosedError):
                await client.read_bytes(1)
        self.assertIn("a mistake in the handler", logs.output[0])

    @gen_test
    async def test_frames_that_are_cut_anywhere_are_put_together(self) -> None:
        client, chance = await self.connect(), random.Random(7)
        client.set_nodelay(True)
        texts = [os.urandom(chance.randrange(1, 300)).hex().encode() for _ in range(40)]
        data = b"".join(map(frame, texts))
        while data:
            size = chance.choice([1, 1, 2, 3, 7, 50, 400])
            await client.write(data[:size])
            data = data[size:]
        self.assertEqual([await self.echo(client) for _ in texts], texts)

    @gen_test
    async def test_a_message_in_fragments_with_a_ping_between_them(self) -> None:
        client = await self.connect()
        parts = [frame(b"one ", final=False), frame(b"?", PING), frame(b"two", CONTINUATION)]
        await client.write(b"".join(parts))
        self.assertEqual(await client.read_bytes(3), bytes([0x80 | PONG, 1]) + b"?")
        self.assertEqual(await self.echo(client), b"one two")

    @gen_test
    async def test_what_is_too_big_closes_with_1009(self) -> None:
        client = await self.connect()
        await client.write(frame(b"fine") + frame(b"x" * 1001))
        self.assertEqual(await self.echo(client), b"fine")
        head = await client.read_bytes(4)
        self.assertEqual((head[0] & 0xF, struct.unpack("!H", head[2:])[0]), (CLOSE, 1009))

    @gen_test
    async def test_a_close_is_answered(self) -> None:
        client = await self.connect()
        await client.write(frame(b"last") + frame(struct.pack("!H", 1000), CLOSE))
        self.assertEqual(await self.echo(client), b"last")
        self.assertEqual(await client.read_bytes(2), bytes([0x80 | CLOSE, 2]))

    async def expect_close(self, client: tornado.iostream.IOStream, code: int) -> None:
        first, length = await client.read_bytes(2)
        payload = await client.read_bytes(length)
        self.assertEqual((first, payload[:2]), (0x80 | CLOSE, struct.pack("!H", code)))

    @gen_test
    async def test_frames_are_checked_by_their_head_wherever_it_is_cut(self) -> None:
        head = bytes([0x80 | TEXT, 5])
        for parts in [head + b"hello"], [head, b"hello"], [head[:1], head[1:]]:
            client = await self.connect()
            client.set_nodelay(True)
            await client.write(frame(b"fine"))
            self.assertEqual(await self.echo(client), b"fine")
            for part in parts:
                await client.write(part)
            await self.expect_close(client, 1002)

    @gen_test
    async def test_each_frame_is_counted_once_also_those_in_one_read(self) -> None:
        client = await self.connect()
        parts = [frame(b"", PONG) * 300, frame(b"", CONTINUATION, final=False) * 298]
        data = parts[0] + frame(b"", final=False) + parts[1] + frame(b"end", CONTINUATION)
        await client.write(data)
        self.assertEqual(await self.echo(client), b"end")
        await client.write(frame(b"", PONG))
        await self.expect_close(client, 3009)

    @gen_test
    async def test_a_control_frame_for_which_the_buffer_has_no_room_ends_the_connection(
        self,
    ) -> None:
        for data in frame(b"?", PING), frame(struct.pack("!H", 1000), CLOSE):
            with self.assertNoLogs(level="WARNING"):
                client = await self.connect()
                await client.write(frame(b"first"))
                self.assertEqual(await self.echo(client), b"first")
                (handler,) = EchoHandler.open_ones
                handler.stream.max_write_buffer_size = 1
                await client.write(data)
                await self.expect_close(client, 3008)
                client.close()
                await handler.closed.wait()

    @gen_test
    async def test_a_ping_timeout_with_a_full_buffer_ends_the_connection(self) -> None:
        client = await self.connect()
        await client.write(frame(b"first"))
        self.assertEqual(await self.echo(client), b"first")
        (handler,) = EchoHandler.open_ones
        connection = handler.ws_connection
        assert connection is not None
        handler.stream.max_write_buffer_size = 1
        connection.close(reason="ping timed out")  # as Tornado's task for pings does
        await self.expect_close(client, 3008)


class WriteTest(tornado.testing.AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        ours, theirs = socket.socketpair()
        self.stream = FrameStream(ours, max_write_buffer_size=1 << 20)
        self.reader = tornado.iostream.IOStream(theirs)

    def tearDown(self) -> None:
        self.stream.close()
        self.reader.close()
        super().tearDown()

    @gen_test
    async def test_what_the_system_does_not_take_follows_in_order(self) -> None:
        parts = [bytes([n]) * 300_000 for n in range(3)]
        for part in parts:
            self.stream.write_now(part)
        self.assertTrue(self.stream.writing())
        self.assertEqual(await self.reader.read_bytes(900_000), b"".join(parts))

    @gen_test
    async def test_a_small_write_leaves_nothing_waiting(self) -> None:
        self.stream.write_now(b"hello")
        self.assertFalse(self.stream.writing())
        self.assertEqual(await self.reader.read_bytes(5), b"hello")

    @gen_test
    async def test_what_waits_is_bounded(self) -> None:
        with self.assertRaises(tornado.iostream.StreamBufferFullError):
            for _ in range(20):
                self.stream.write_now(b"x" * 200_000)

    @gen_test
    async def test_a_peer_that_has_gone_is_a_closed_stream(self) -> None:
        self.reader.close()
        with self.assertRaises(tornado.iostream.StreamClosedError):
            for _ in range(3):
                self.stream.write_now(b"x")

    @gen_test
    async def test_a_closed_stream_says_so(self) -> None:
        self.stream.close()
        with self.assertRaises(tornado.iostream.StreamClosedError):
            self.stream.write_now(b"x")
