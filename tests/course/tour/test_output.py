"""Output is limited in what is kept and shown, and what is left out is counted."""

import unittest

from course.tour.output import ErrorMarker, MessageRing, OutputBuffer


class MessageRingTest(unittest.TestCase):
    def fill(self, ring: MessageRing, count: int, size: int) -> None:
        for _ in range(count):
            ring.append({"type": "output", "run": "1", "text": "x" * size})

    def test_messages_are_numbered_and_given_from_any_number_on(self) -> None:
        ring = MessageRing()
        self.fill(ring, 3, 1)
        self.assertEqual([message["seq"] for message in ring.after(0)], [1, 2, 3])
        self.assertEqual([message["seq"] for message in ring.after(2)], [3])
        self.assertEqual((ring.after(3), ring.last_seq), ([], 3))

    def test_the_oldest_are_forgotten_and_counted(self) -> None:
        ring = MessageRing(limit=1000)
        self.fill(ring, 15, 100)
        note, first, *_ = ring.after(0)
        self.assertEqual((note["type"], note["bytes"], note["run"]), ("dropped", 500, "1"))
        self.assertEqual((first["seq"], note["seq"]), (6, 5))
        self.assertEqual(ring.after(5)[0]["type"], "output", "nothing is missing for this page")

    def test_messages_without_text_are_forgotten_too(self) -> None:
        ring = MessageRing(limit=640)
        for _ in range(1000):
            ring.append({"type": "blocked", "run": "1"})
        self.assertEqual(len(ring.after(990)), 10)
        self.assertLess(len(ring.after(0)), 20)


class OutputBufferTest(unittest.TestCase):
    def test_the_newest_part_is_kept_from_the_beginning_of_a_line(self) -> None:
        buffer = OutputBuffer(limit=10)
        buffer.write(b"one\ntwo\nthree\n")
        dropped, text = buffer.read()
        self.assertEqual((dropped, text), (8, "three\n"))
        self.assertEqual(buffer.read(), (0, ""))

    def test_a_long_line_is_cut(self) -> None:
        buffer = OutputBuffer(limit=10)
        for _ in range(1000):
            buffer.write(b"x" * 100)
        self.assertEqual(buffer.read(), (99_990, "x" * 10))
        self.assertLess(len(buffer._data), 100)

    def test_a_character_that_comes_in_two_parts_is_one(self) -> None:
        buffer = OutputBuffer()
        buffer.write("€".encode()[:2])
        self.assertEqual(buffer.read(), (0, ""))
        buffer.write("€".encode()[2:])
        self.assertEqual(buffer.read(), (0, "€"))

    def test_bytes_that_are_no_text_are_shown_as_such(self) -> None:
        buffer = OutputBuffer()
        buffer.write(b"\xff\xe2\x82")
        self.assertEqual(buffer.read(final=True), (0, "\ufffd\ufffd"))


LOG = """\
[I 260101 12:00:00 web:2300] 200 GET / (127.0.0.1) 0.50ms
404 GET /nothing (127.0.0.1) 0.30ms
WARNING:tornado.general:slow
!ERROR:tornado.application:Uncaught exception GET / (127.0.0.1)
!HTTPServerRequest(protocol='http', host='localhost:8888', method='GET', uri='/')
!Traceback (most recent call last):
!  File "app.py", line 3, in get
!    1 / 0
!ZeroDivisionError: division by zero
INFO:tornado.access:200 GET / (127.0.0.1) 0.50ms
![E 260101 12:00:00 web:2300] 500 GET / (127.0.0.1) 0.50ms
[W 260101 12:00:00 web:2300] 404 GET / (127.0.0.1) 0.50ms
!Traceback (most recent call last):
!  File "app.py", line 3, in get
!
!    1 / 0
!ZeroDivisionError: division by zero
a line of the script
!  File "app.py", line 1
!    def
!SyntaxError: invalid syntax
!  + Exception Group Traceback (most recent call last):
!  | ExceptionGroup: two (1 sub-exception)
!    +------------------------------------
a line of the script
!learn.py: app.py has failed
!  File "app.py", line 3, in <module>
!ZeroDivisionError: division by zero
"""
"""Output of scripts; the lines of errors begin with "!"."""


class ErrorMarkerTest(unittest.TestCase):
    def test_only_tracebacks_and_records_of_errors_are_errors(self) -> None:
        lines = [(line.startswith("!"), line.lstrip("!")) for line in LOG.splitlines(keepends=True)]
        text = "".join(line for _, line in lines)
        for size in (1000, 1, 7):
            with self.subTest(size=size):
                marker = ErrorMarker()
                pieces = [text[at : at + size] for at in range(0, len(text), size)]
                parts = [part for piece in pieces for part in marker.split(piece)]
                self.assertEqual("".join(part for _, part in parts), text)
                ends = [is_error for is_error, part in parts for _ in range(part.count("\n"))]
                self.assertEqual(ends, [is_error for is_error, _ in lines])

    def test_a_line_without_end_is_not_kept_whole(self) -> None:
        marker = ErrorMarker()
        marker.split("x" * 10_000)
        self.assertLess(len(marker._unfinished), 1000)
