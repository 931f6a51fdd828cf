"""Lines are answered one by one; a long line, silence and "quit" end the connection."""

import asyncio
import contextlib
import logging

import tornado.web
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.testing import bind_unused_port, gen_test

from course.testing.http import ExerciseCase, InvalidSubmission, Mismatch

LIMIT = 1.0  # seconds to wait for a line
SILENCE = 0.05  # the patience of the server in the test of a silent client
PATIENCE = 30.0  # its patience in all other tests

LOOP = "handle_stream(): read in a loop, until the client or the server ends the connection"
READ = (
    'handle_stream(): line = await stream.read_until(b"\\n", max_bytes=MAX_LINE).\n'
    "Then write one line, which is the answer"
)
ERROR = "a line that is no sum is answered with error; the connection stays open"
LONG = "read_until() closes the connection of a longer line if it gets max_bytes=MAX_LINE"
QUIT = 'after the line "quit": write "bye", then stream.close() and return'
EACH = "the limit is for each line: async with asyncio.timeout(self.patience) inside the loop"
SILENT = "async with asyncio.timeout(self.patience): and close the stream when the time is over"
LEFT = (
    "read_until() raises StreamClosedError when the client closes the connection.\n"
    "Catch it, because this is no error of the server"
)


class Errors(logging.Handler):
    """Collects log records of level ERROR."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the last line of the record."""
        self.messages.append(self.format(record).strip().splitlines()[-1])


class LineServer(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application()

    def tearDown(self) -> None:
        """Stop the learner's server."""
        if hasattr(self, "stream"):
            self.stream.close()
        if hasattr(self, "server"):
            self.server.stop()
        super().tearDown()

    async def connect(self, patience: float = PATIENCE) -> IOStream:
        """Start the learner's server; return a connection to it."""
        server_class = getattr(self.subject, "SumServer", None)
        if server_class is None:
            raise InvalidSubmission("The file has no SumServer: leave the name as it was.")
        self.server = server_class()
        self.server.patience = patience
        listening, port = bind_unused_port()
        self.server.add_sockets([listening])
        self.stream = await TCPClient().connect("127.0.0.1", port)
        self.sent: list[str] = []
        return self.stream

    async def receive(self) -> str:
        """Return the next line of the server, or what came in its place."""
        try:
            async with asyncio.timeout(LIMIT):
                return (await self.stream.read_until(b"\n")).decode().rstrip("\n")
        except TimeoutError:
            return f"no line within {LIMIT:g} second"
        except StreamClosedError:
            return "the connection closed"

    async def ask(self, line: str, expected: str, advice: str) -> None:
        """Send a line; raise `Mismatch` unless the expected line comes back."""
        self.sent.append(f"the line {line[:60]}")
        with contextlib.suppress(StreamClosedError):  # the next read says it
            await self.stream.write(line.encode() + b"\n")
        await self.expect_line(expected, advice)

    async def expect_line(self, expected: str, advice: str) -> None:
        received = await self.receive()
        if received != expected:
            raise Mismatch(
                sent="\n".join(self.sent), received=received, expected=expected, advice=advice
            )

    @gen_test
    async def test_one_line_is_answered(self) -> None:
        await self.connect()
        await self.ask("add 2 3", "5", READ)

    @gen_test
    async def test_many_lines_are_answered(self) -> None:
        await self.connect()
        await self.ask("add 2 3", "5", READ)
        await self.ask("add -2 40", "38", LOOP)

    @gen_test
    async def test_two_lines_in_one_packet_have_two_answers(self) -> None:
        await self.connect()
        await self.ask("add 1 1\nadd 2 2", "2", READ)
        await self.expect_line("4", LOOP)

    @gen_test
    async def test_other_lines_are_errors(self) -> None:
        await self.connect()
        for line in ("subtract 2 3", "add 2", "add two 3", "", "add 1 2 3"):
            await self.ask(line, "error", ERROR)
        await self.ask("add 2 3", "5", ERROR)

    @gen_test
    async def test_a_long_line_ends_the_connection(self) -> None:
        await self.connect()
        await self.ask("add 1 " + "0" * 60 + "1", "the connection closed", LONG)

    @gen_test
    async def test_a_line_without_an_end_does_not_fill_the_memory(self) -> None:
        stream = await self.connect()
        self.sent.append("60 bytes without the end of a line")
        await stream.write(b"0" * 60)
        await self.expect_line("the connection closed", LONG)

    @gen_test
    async def test_quit_ends_the_connection(self) -> None:
        await self.connect()
        await self.ask("quit", "bye", QUIT)
        await self.expect_line("the connection closed", QUIT)

    @gen_test
    async def test_a_silent_client_is_disconnected(self) -> None:
        await self.connect(patience=SILENCE)
        self.sent.append(f"nothing, with patience = {SILENCE:g}")
        await self.expect_line("the connection closed", SILENT)

    @gen_test(timeout=60 * PATIENCE)  # the clock of the event loop is moved
    async def test_each_line_has_the_whole_time(self) -> None:
        await self.connect()
        for _ in range(3):
            await self.ask("add 2 3", "5", EACH)
            self.pass_time(PATIENCE * 0.6)
        self.pass_time(PATIENCE * 0.6)
        await self.expect_line("the connection closed", EACH)

    def pass_time(self, seconds: float) -> None:
        """Move the clock of the event loop forward, so that the test does not have to wait."""
        self.sent.append(f"nothing for {seconds:g} of {PATIENCE:g} seconds")
        loop = asyncio.get_running_loop()
        now = loop.time
        loop.time = lambda: now() + seconds  # type: ignore[method-assign]

    @gen_test
    async def test_a_client_that_leaves_is_no_error(self) -> None:
        errors = Errors()
        for name in ("tornado.application", "asyncio"):
            logging.getLogger(name).addHandler(errors)
            self.addCleanup(logging.getLogger(name).removeHandler, errors)
        await self.connect()
        await self.ask("add 2 3", "5", READ)
        self.sent.append("the end of the connection")
        self.stream.close()
        for _ in range(5):  # turns of the event loop until the server has noticed it
            await asyncio.sleep(0.01)
        if errors.messages:
            raise Mismatch(
                sent="\n".join(self.sent),
                received=f"in the log: {errors.messages[-1]}",
                expected="no error in the log",
                advice=LEFT,
            )
