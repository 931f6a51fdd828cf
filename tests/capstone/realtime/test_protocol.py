"""The frames of the socket, byte for byte."""

import asyncio
import contextlib
import json
import struct
import unittest
import uuid
from typing import Any

import tornado.iostream
import tornado.testing
import tornado.web
import tornado.websocket
from hypothesis import example, given
from hypothesis import strategies as st

from capstone_chat.realtime import protocol
from capstone_chat.realtime.protocol import Edit, Ping, ProtocolError, Read, Send, Typing, decode

CID = "6f9619ff-8b86-4011-b42d-00cf4fc964ff"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
# Objects that are nearly frames: the right keys, and values that may be anything.
nearly_frames = st.fixed_dictionaries(
    {"type": st.sampled_from(["send", "edit", "read", "typing", "ping"]) | json_values},
    optional={
        "cid": st.uuids().map(str) | json_values,
        "conv": st.integers() | json_values,
        "seq": st.integers() | json_values,
        "reply": st.integers() | json_values,
        "text": st.text() | json_values,
    },
)


class DecodeTest(unittest.TestCase):
    def refused(self, payload: str | bytes) -> ProtocolError:
        with self.assertRaises(ProtocolError) as caught:
            decode(payload)
        return caught.exception

    def test_what_a_client_may_say(self) -> None:
        frames: list[tuple[dict[str, Any], protocol.ClientFrame]] = [
            ({"type": "send", "cid": CID, "conv": 1, "text": "hi"}, Send(CID, 1, "hi")),
            (
                {"type": "send", "cid": CID, "conv": 1, "text": "hi", "reply": 7},
                Send(CID, 1, "hi", 7),
            ),
            (
                {"type": "send", "cid": CID, "conv": 1, "text": "hi", "reply": None},
                Send(CID, 1, "hi"),
            ),
            (
                {"type": "edit", "cid": CID, "conv": 1, "seq": 7, "text": "hi"},
                Edit(CID, 1, 7, "hi"),
            ),
            ({"type": "read", "conv": 1, "seq": 0}, Read(1, 0)),
            ({"type": "typing", "conv": 2**53 - 1}, Typing(2**53 - 1)),
            ({"type": "ping"}, Ping()),
            ({"type": "ping", "more": "is ignored"}, Ping()),
        ]
        for frame, meaning in frames:
            with self.subTest(frame=frame):
                self.assertEqual(decode(json.dumps(frame)), meaning)

    def test_what_is_no_frame_says_why(self) -> None:
        wrong: list[tuple[str | bytes, str]] = [
            (b"{}", "binary"),
            ("", "bad_json"),
            ("{", "bad_json"),
            ("{'type': 'ping'}", "bad_json"),
            ("[" * 60_000, "bad_json"),
            ("9" * 60_000, "bad_json"),
            ("[]", "bad_frame"),
            ("null", "bad_frame"),
            ('"ping"', "bad_frame"),
            ("{}", "unknown_type"),
            ('{"type": "Ping"}', "unknown_type"),
            ('{"type": ["ping"]}', "unknown_type"),
            ('{"type": "ack"}', "unknown_type"),
            ('{"type": "typing"}', "bad_frame"),
            ('{"type": "typing", "conv": "1"}', "bad_frame"),
            ('{"type": "typing", "conv": true}', "bad_frame"),
            ('{"type": "typing", "conv": 1.0}', "bad_frame"),
            ('{"type": "typing", "conv": -1}', "bad_frame"),
            ('{"type": "typing", "conv": 9007199254740992}', "bad_frame"),
            ('{"type": "typing", "conv": NaN}', "bad_frame"),
            ('{"type": "read", "conv": 1}', "bad_frame"),
            ('{"type": "read", "conv": 1, "seq": null}', "bad_frame"),
            ('{"type": "send", "conv": 1, "text": "hi"}', "bad_frame"),
            ('{"type": "send", "cid": 7, "conv": 1, "text": "hi"}', "bad_frame"),
            ('{"type": "send", "cid": "7", "conv": 1, "text": "hi"}', "bad_frame"),
            ('{"type": "send", "cid": "%s", "conv": 1, "text": "hi"}' % ("x" * 36), "bad_frame"),
        ]
        for payload, code in wrong:
            with self.subTest(payload=payload[:60]):
                error = self.refused(payload)
                self.assertEqual(error.code, code)
                self.assertTrue(error.message)
                self.assertIsNone(error.cid)

    def test_what_is_wrong_with_a_message_names_the_message(self) -> None:
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"text": "hi"}, "bad_frame"),
            ({"text": "hi", "conv": "1"}, "bad_frame"),
            ({"conv": 1}, "bad_frame"),
            ({"conv": 1, "text": ["hi"]}, "bad_frame"),
            ({"conv": 1, "text": ""}, "text_empty"),
            ({"conv": 1, "text": " \n\u2003\t "}, "text_empty"),
            ({"conv": 1, "text": "\u200b\u3164\u2800\u200e\ufeff\u00ad"}, "text_empty"),
            ({"conv": 1, "text": "x" * 4001}, "text_too_long"),
            ({"conv": 1, "text": "hi", "reply": "7"}, "bad_frame"),
            ({"conv": 1, "text": "hi", "reply": -1}, "bad_frame"),
            ({"type": "edit", "conv": 1, "text": "hi"}, "bad_frame"),
            ({"type": "edit", "conv": 1, "text": "hi", "seq": 2**53}, "bad_frame"),
            ({"type": "edit", "conv": 1, "text": "", "seq": 7}, "text_empty"),
            ({"conv": 1, "text": "nul\0"}, "text_invalid"),
            ({"conv": 1, "text": "half \ud83e of a duck"}, "text_invalid"),
        ]
        for fields, code in wrong:
            with self.subTest(fields=str(fields)[:60]):
                error = self.refused(json.dumps({"type": "send", "cid": CID, **fields}))
                self.assertEqual((error.code, error.cid), (code, CID))

    def test_text_is_kept_but_for_empty_lines_before_and_white_space_after_it(self) -> None:
        def text(typed: str) -> str:
            frame = decode(json.dumps({"type": "send", "cid": CID, "conv": 1, "text": typed}))
            assert isinstance(frame, Send)
            return frame.text

        for kept in (
            "<script>",
            "a\n\n  b",
            "\u202etxt",
            "🦆" * 4000,
            "'; DROP TABLE users; --",
            "\x1b[1m",
        ):
            self.assertEqual(text(f" \n{kept} \n"), kept)

        self.assertEqual(text("\n \r\n    if True:\n        pass\n"), "    if True:\n        pass")

    def test_one_id_has_one_spelling(self) -> None:
        frame = decode(json.dumps({"type": "send", "cid": CID.upper(), "conv": 1, "text": "hi"}))
        self.assertEqual(frame, Send(CID, 1, "hi"))

    @given(st.text() | st.binary() | json_values.map(json.dumps) | nearly_frames.map(json.dumps))
    @example("[" * 100_000)
    @example('{"type": "read", "conv": 1e999, "seq": -0}')
    def test_anything_is_a_frame_or_a_protocol_error(self, payload: str | bytes) -> None:
        with contextlib.suppress(ProtocolError):
            self.assertIsInstance(decode(payload), protocol.ClientFrame)

    @given(st.uuids(), st.integers(0, 2**53 - 1), st.text(st.characters(codec="utf-8")))
    def test_every_message_that_can_be_stored_comes_in_as_it_is(
        self, cid: uuid.UUID, conv: int, text: str
    ) -> None:
        text = f"[{text.replace(chr(0), '')}]"
        frame = decode(json.dumps({"type": "send", "cid": str(cid), "conv": conv, "text": text}))
        self.assertEqual(frame, Send(str(cid), conv, text))


class EncodeTest(unittest.TestCase):
    @given(
        st.dictionaries(
            st.text(st.characters(codec="utf-8")),
            st.none()
            | st.booleans()
            | st.integers(-protocol.MAX_SAFE_INTEGER, protocol.MAX_SAFE_INTEGER)
            | st.text(st.characters(codec="utf-8")),
        )
    )
    def test_an_event_comes_back_as_it_was(self, event: dict[str, Any]) -> None:
        self.assertEqual(json.loads(protocol.encode(event).decode("utf-8")), event)


class RawHandler(tornado.websocket.WebSocketHandler):
    """A socket whose stream is written to by hand, as the chat does."""

    opened: asyncio.Queue[tornado.iostream.IOStream]

    def initialize(self, opened: asyncio.Queue[tornado.iostream.IOStream]) -> None:
        self.opened = opened

    def open(self, *_args: str, **_kwargs: str) -> None:
        assert self.ws_connection is not None and self.ws_connection.stream is not None
        self.opened.put_nowait(self.ws_connection.stream)


class TextFrameTest(tornado.testing.AsyncHTTPTestCase):
    """Tornado's own client reads the frames that the chat builds."""

    def get_app(self) -> tornado.web.Application:
        self.opened: asyncio.Queue[tornado.iostream.IOStream] = asyncio.Queue()
        return tornado.web.Application([("/", RawHandler, {"opened": self.opened})])

    @tornado.testing.gen_test
    async def test_frames_of_every_length_come_back_whole_also_joined(self) -> None:
        client = await tornado.websocket.websocket_connect(self.get_url("/").replace("http", "ws"))
        stream = await self.opened.get()
        payloads = [
            b"x" * length for length in (0, 1, 124, 125, 126, 127, 255, 256, 65_535, 65_536, 70_000)
        ]
        payloads += ["🦆 Ünïcödé".encode(), protocol.encode({"type": "pong", "heads": {1: 2}})]
        for payload in payloads:
            stream.write(protocol.encode_text_frame(payload))
            self.assertEqual(await client.read_message(), payload.decode())
        stream.write(b"".join(map(protocol.encode_text_frame, payloads)))
        for payload in payloads:
            self.assertEqual(await client.read_message(), payload.decode())
        client.close()
        await client.read_message()

    def test_a_frame_takes_the_shortest_head(self) -> None:
        # RFC 6455, 5.2: "the minimal number of bytes MUST be used to encode the length"
        for length, head in (
            (0, b"\x81\x00"),
            (125, b"\x81\x7d"),
            (126, b"\x81\x7e\x00\x7e"),
            (65_535, b"\x81\x7e\xff\xff"),
            (65_536, b"\x81\x7f" + struct.pack("!Q", 65_536)),
        ):
            with self.subTest(length=length):
                self.assertEqual(protocol.encode_text_frame(b"x" * length), head + b"x" * length)
