"""What is no frame is answered, five in a row close the socket, and no neighbour notices."""

import json
import random
import struct

import tornado.httpclient
import tornado.iostream
import tornado.testing

from capstone_chat import protocol
from tests.capstone.socket_case import SocketCase, client_frame, close_code


class SizeTest(SocketCase):
    @tornado.testing.gen_test
    async def test_a_frame_over_64_kib_closes_with_1009(self) -> None:
        bob = await self.bob.connect()
        for first, second in (
            (b"\x81\xff" + struct.pack("!Q", 65_537), b""),  # refused by its head alone
            (client_frame(0x1, b"x" * 65_536, final=False), client_frame(0x0, b"x")),
        ):
            stream = await self.anna.open_stream()
            await stream.read_until(b"\r\n\r\n")
            await stream.write(first)
            if second:
                await stream.write(second)
            self.assertEqual(close_code(await stream.read_until_close()), 1009)
        await self.quiet(bob)

    @tornado.testing.gen_test
    async def test_the_largest_frame_is_read(self) -> None:
        anna = await self.anna.connect()
        frame = json.dumps({"type": "ping", "padding": ""})
        padding = "x" * (protocol.FRAME_LIMIT - len(frame))
        await anna.socket.write_message(json.dumps({"type": "ping", "padding": padding}))
        await anna.receive("pong")


class BadFramesTest(SocketCase):
    @tornado.testing.gen_test
    async def test_wrong_frames_are_answered_and_the_socket_lives(self) -> None:
        anna = await self.anna.connect()
        for frame, code in (
            ("", "bad_json"),
            ("{", "bad_json"),
            (b"\x00\x01", "binary"),
            ("[]", "bad_frame"),
            ('{"type": "shout"}', "unknown_type"),
            ('{"type": "read", "conv": "x", "seq": 1}', "bad_frame"),
            ('{"type": "send", "cid": "x", "conv": 1, "text": "hi"}', "bad_frame"),
            ('{"type": "typing", "conv": -1}', "bad_frame"),
        ):
            await anna.socket.write_message(frame, binary=isinstance(frame, bytes))
            error = await anna.receive()
            self.assertEqual((error["type"], error["code"]), ("error", code))
            self.assertEqual(set(error), {"type", "code", "message"})
            await self.quiet(anna)

    @tornado.testing.gen_test
    async def test_five_wrong_frames_in_a_row_close_the_socket_and_no_neighbour_notices(
        self,
    ) -> None:
        bad, bob = await self.anna.connect(), await self.bob.connect()
        tab = await self.anna.connect()
        for _ in range(4):
            await bad.socket.write_message("{")
        await self.quiet(bad)  # a good one in between counts
        for _ in range(5):
            await bad.socket.write_message("{")
        await bad.send(self.conv, "too late")
        self.assertEqual(await bad.closed(), 3501)
        await bob.send(self.conv, "hi")
        self.assertEqual((await tab.receive("message"))["text"], "hi")
        self.assertEqual((await bob.receive("message"))["text"], "hi")

    @tornado.testing.gen_test
    async def test_messages_that_are_refused_are_no_wrong_frames(self) -> None:
        anna = await self.anna.connect()
        for _ in range(12):
            await anna.send(self.conv, "")
            await anna.send(999, "hi")
        codes = [(await anna.receive("error"))["code"] for _ in range(24)]
        self.assertEqual(set(codes), {"text_empty", "not_found"})
        for text, code in ("x" * 4001, "text_too_long"), ("nul\0", "text_invalid"):
            for _ in range(6):  # in a row
                await anna.send(self.conv, text)
                self.assertEqual((await anna.receive())["code"], code)
        await self.quiet(anna)

    @tornado.testing.gen_test
    async def test_bytes_that_are_no_text_cut_the_socket_and_no_other(self) -> None:
        bob = await self.bob.connect()
        stream = await self.anna.open_stream()
        await stream.read_until(b"\r\n\r\n")
        await stream.write(client_frame(0x1, b"\xff\xfe"))
        await stream.read_until_close()
        await self.quiet(bob)

    @tornado.testing.gen_test
    async def test_thousands_of_random_frames_raise_nothing(self) -> None:
        random.seed(20)
        pieces = [
            '{"type":',
            '"send"',
            '"read"',
            '"conv":',
            "1",
            ",",
            "}",
            '"text":"x"',
            "[",
            "\0",
            "é",
        ]
        anna = await self.anna.connect()
        with self.assertNoLogs("tornado.application"):
            for number in range(2000):
                await anna.socket.write_message("".join(random.choices(pieces, k=6)))
                if number % 4 == 3:
                    await anna.say(type="ping")
            await self.quiet(anna)
