"""What is no frame is answered, five in a row close the socket, and no neighbour notices."""

import json
import random
import struct

import tornado.httpclient
import tornado.iostream
import tornado.testing

from capstone_chat.realtime import protocol
from tests.capstone.socket_case import SocketCase
from tests.support.websocket_frames import client_frame, close_code, server_frame


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
        padding = "x" * (protocol.MAX_FRAME_BYTES - len(frame))
        await anna.socket.write_message(json.dumps({"type": "ping", "padding": padding}))
        await anna.receive("pong")


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return client_frame(0x8, struct.pack("!H", code) + reason)


class StandardTest(SocketCase):
    """What RFC 6455 forbids closes with the code that it names."""

    async def code_for(self, *frames: bytes) -> int | None:
        """Send frames and return the code of the close frame in answer; None without a code."""
        stream = await self.anna.open_stream()
        await stream.read_until(b"}}")  # all of the hello
        await stream.write(b"".join(frames))
        first, length = await stream.read_bytes(2)
        self.assertEqual(first, 0x88, "no close frame")
        payload = await stream.read_bytes(length)
        return int(struct.unpack("!H", payload[:2])[0]) if payload else None

    async def expect(self, code: int | None, **cases: tuple[bytes, ...]) -> None:
        bob = await self.bob.connect()
        for name, frames in cases.items():
            with self.subTest(name), self.assertNoLogs(level="WARNING"):
                self.assertEqual(await self.code_for(*frames), code)
                await self.until(lambda: len(self.chat.hub) == 1)  # the neighbour's
        await self.quiet(bob)

    @tornado.testing.gen_test
    async def test_frames_that_are_forbidden_close_with_1002(self) -> None:
        text = client_frame(0x1, b"{}", final=False)
        await self.expect(
            1002,
            unmasked=(server_frame(0x1, b'{"type":"ping"}'),),
            unmasked_pong=(server_frame(0xA, b""),),
            unmasked_close=(server_frame(0x8, b""),),
            unmasked_fragment=(text, server_frame(0x0, b"")),
            reserved_opcode=(client_frame(0x3, b"{}"),),
            reserved_control_opcode=(client_frame(0xB, b""),),
            reserved_bit_1=(client_frame(0x41, b"{}"),),
            reserved_bit_2=(client_frame(0x21, b"{}"),),
            reserved_bit_3=(client_frame(0x1A, b""),),
            long_ping=(client_frame(0x9, b"x" * 126),),
            long_pong=(client_frame(0xA, b"x" * 126),),
            long_close=(client_frame(0x8, struct.pack("!H", 1000) + b"x" * 124),),
            ping_in_fragments=(client_frame(0x9, b"", final=False),),
            close_in_fragments=(client_frame(0x8, b"", final=False),),
            rest_of_nothing=(client_frame(0x0, b"{}"),),
            message_in_a_message=(text, client_frame(0x1, b"{}")),
            another_protocol=(b"GET / HTTP/1.1\r\n\r\n",),
        )

    @tornado.testing.gen_test
    async def test_close_codes_that_are_forbidden_are_answered_with_1002(self) -> None:
        codes = 0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2999, 5000, 65_535
        await self.expect(
            1002,
            half_a_code=(client_frame(0x8, b"\x03"),),
            **{str(code): (close_frame(code, b"bye"),) for code in codes},
        )

    @tornado.testing.gen_test
    async def test_close_codes_that_are_allowed_are_answered_with_themselves(self) -> None:
        for code in 1000, 1001, 1003, 1007, 1014, 3000, 4999:
            with self.subTest(code=code):
                self.assertEqual(await self.code_for(close_frame(code, "bye é".encode())), code)
        self.assertIsNone(await self.code_for(client_frame(0x8, b"")))

    @tornado.testing.gen_test
    async def test_what_is_not_utf8_closes_with_1007(self) -> None:
        await self.expect(
            1007,
            text=(client_frame(0x1, b"\xff\xfe"),),
            surrogate=(client_frame(0x1, b'"\xed\xa0\x80"'),),
            overlong=(client_frame(0x1, b"\xc0\xaf"),),
            cut=(client_frame(0x1, b'{"type":"ping"} \xc3'),),
            fragments=(client_frame(0x1, b"\xff", final=False), client_frame(0x0, b"")),
            reason=(close_frame(1000, b"\xff"),),
        )

    @tornado.testing.gen_test
    async def test_what_is_too_long_closes_with_1009(self) -> None:
        half = client_frame(0x1, b"x" * 40_000, final=False)
        tiny = client_frame(0x0, b"x" * 100, final=False)
        await self.expect(
            1009,
            announced=(b"\x81\xff" + struct.pack("!Q", 65_537),),
            announced_with_a_sign=(b"\x81\xff" + b"\xff" * 8,),
            binary=(b"\x82\xff" + struct.pack("!Q", 1 << 40),),
            fragments=(half, client_frame(0x0, b"x" * 40_000)),
            small_fragments=(half, tiny * 256),
        )

    @tornado.testing.gen_test
    async def test_who_is_still_sending_reads_the_code(self) -> None:
        """A connection that is closed with unread data is reset: the client fails to send."""
        for frame, code in (
            (client_frame(0x1, b"x" * (1 << 20)), 1009),
            (server_frame(0x1, b"{}") + b"x" * (1 << 20), 1002),
        ):
            with self.subTest(code=code):
                stream = await self.anna.open_stream()
                await stream.read_until(b"}}")
                await stream.write(frame[: 1 << 18])
                await self.until(lambda: len(self.chat.hub) == 0)
                await stream.write(frame[1 << 18 :])
                data = await stream.read_bytes(4)
                self.assertEqual(close_code(data), code)

    @tornado.testing.gen_test
    async def test_a_message_in_fragments_between_which_are_pings_is_one(self) -> None:
        parts = [client_frame(0x1, b'{"type":', final=False), client_frame(0x9, b"?")]
        parts += [client_frame(0x0, b"", final=False), client_frame(0x0, b'"ping"}')]
        stream = await self.anna.open_stream()
        await stream.read_until(b"}}")
        await stream.write(b"".join(parts))
        self.assertEqual(await stream.read_bytes(3), b"\x8a\x01?")
        await stream.read_until(b'"pong"')


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
