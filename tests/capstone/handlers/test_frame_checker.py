"""Frames are found, counted and checked however their bytes arrive."""

import random
import struct
import unittest

from capstone_chat.handlers.frame_checker import FrameChecker, ViolationError
from capstone_chat.realtime.protocol import CloseCode
from tests.support.websocket_frames import CLOSE, CONTINUATION, PING, TEXT, client_frame

FRAMES = [
    client_frame(TEXT, "grün".encode()),
    client_frame(TEXT, b"x" * 300),
    client_frame(TEXT, "grün".encode()[:3], final=False),  # ends within a letter
    client_frame(PING, b"?"),
    client_frame(CONTINUATION, "grün".encode()[3:]),
    client_frame(0x2, b"\xff" * 70_000),
    client_frame(CLOSE, struct.pack("!H", 1000) + "tschüs".encode()),
]
FOUND = ["grün", "x" * 300, *FRAMES[2:]]
"""A text in one frame comes out as a text, any other frame as it is."""


class FrameCheckerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.counted = 0
        self.checker = FrameChecker(100_000, self.count)

    def count(self) -> bool:
        self.counted += 1
        return self.counted <= len(FRAMES)

    def test_frames_that_are_cut_anywhere_come_out_and_are_counted_once(self) -> None:
        chance, data, found = random.Random(7), b"".join(FRAMES), []
        while data:
            size = chance.choice([1, 1, 2, 3, 5, 8, 5000])
            self.checker.feed(data[:size])
            data = data[size:]
            while frame := self.checker.next_frame():
                found.append(frame)
        self.assertEqual(found, FOUND)
        self.assertEqual(self.counted, len(FRAMES))

    def assert_violation(self, code: CloseCode, data: bytes) -> None:
        self.checker.feed(data)
        with self.assertRaises(ViolationError) as caught:
            while self.checker.next_frame():
                pass
        self.assertEqual(caught.exception.code, code)

    def test_frames_before_a_violation_come_out(self) -> None:
        self.checker.feed(FRAMES[0] + b"\x81\x00")
        self.assertEqual(self.checker.next_frame(), FOUND[0])
        self.assert_violation(CloseCode.PROTOCOL_ERROR, b"")

    def test_a_header_of_two_bytes_is_enough_for_a_violation(self) -> None:
        self.assert_violation(CloseCode.PROTOCOL_ERROR, b"\x83\x85")

    def test_a_length_is_enough_for_a_message_that_is_too_big(self) -> None:
        self.assert_violation(CloseCode.MESSAGE_TOO_BIG, b"\x81\xff" + struct.pack("!Q", 100_001))

    def test_the_frame_after_the_last_one_that_is_admitted_is_too_many(self) -> None:
        self.assert_violation(CloseCode.TOO_MANY_FRAMES, b"".join([*FRAMES[:2] * 4]))
