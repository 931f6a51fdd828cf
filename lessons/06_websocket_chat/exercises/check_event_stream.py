"""Events arrive one by one, with numbers, and a client that connects again resumes."""

import asyncio

from tornado.httpclient import HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.testing import gen_test

from course.testing.http import ExerciseCase, Mismatch

SECONDS = 1.0  # until an event counts as missing
TYPE = 'self.set_header("Content-Type", "text/event-stream"), before the first flush()'
SEND = (
    "First send the texts that are there, then wait. `await self.flush()` sends what was written.\n"
    "An event consists of lines, and an empty line ends it: id: 1, data: one, and an empty line"
)
NEXT = "In a loop: send what is new, flush(), and wait for the next text: await room.news.wait()"
ALL = (
    "When wait() returns, the room may have several new texts: send all after the last number,\n"
    "room.texts[seen:]"
)
NUMBER = "The line id: is the number of the text. The first text has the number 1"
LINES = 'An event has a line data: for each line of a text: "two\\nlines" needs two of them'
RESUME = (
    'self.request.headers.get("Last-Event-ID", "0") is the number of the last event that this\n'
    "client has received: send only those after it"
)


class Stream:
    """The response to GET /events, read while it arrives, as EventSource of a browser reads it."""

    def __init__(self, case: "EventStream", last: str = "") -> None:
        self.sent = "GET /events" + (f"\nLast-Event-ID: {last}" if last else "")
        self.lines: list[str] = []
        self.rest = ""
        self.type = ""
        self.events: asyncio.Queue[tuple[str, str] | None] = asyncio.Queue()
        request = HTTPRequest(
            case.get_url("/events"),
            headers=HTTPHeaders({"Last-Event-ID": last} if last else {}),
            header_callback=self.on_header,
            streaming_callback=self.on_chunk,
            request_timeout=60,
        )
        self.task = asyncio.ensure_future(case.http_client.fetch(request, raise_error=False))
        self.task.add_done_callback(self.on_end)

    def on_header(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name.lower() == "content-type":
            self.type = value.partition(";")[0].strip().lower()

    def on_chunk(self, chunk: bytes) -> None:
        text = self.rest + chunk.decode().replace("\r\n", "\n")
        *lines, self.rest = text.split("\n")
        for line in lines:
            if line:
                self.lines.append(line)
            else:
                self.end_event()

    def end_event(self) -> None:
        fields = [line.partition(":") for line in self.lines]
        self.lines = []
        data = [value.removeprefix(" ") for name, _, value in fields if name == "data"]
        numbers = [value.removeprefix(" ") for name, _, value in fields if name == "id"]
        if data:
            self.events.put_nowait((numbers[-1] if numbers else "", "\n".join(data)))

    def on_end(self, task: asyncio.Future) -> None:
        if not task.cancelled():
            task.exception()
        self.events.put_nowait(None)

    async def expect(self, number: int, text: str, advice: str) -> None:
        """Raise Mismatch unless the next event has this number and this text."""
        received = "the response ended"
        expected = f"the event id: {str(number)!r}, data: {text!r}"
        try:
            event = await asyncio.wait_for(self.events.get(), SECONDS)
        except TimeoutError:
            event, received = None, f"nothing within {SECONDS:g} seconds"
        if self.type not in ("", "text/event-stream"):
            raise Mismatch(
                sent=self.sent,
                received=f"Content-Type: {self.type}",
                expected="Content-Type: text/event-stream",
                advice=TYPE,
            )
        if event:
            received = f"the event id: {event[0]!r}, data: {event[1]!r}"
        if event != (str(number), text):
            if event and event[1] == text:
                advice = NUMBER
            elif received == "the response ended":
                advice = NEXT
            raise Mismatch(sent=self.sent, received=received, expected=expected, advice=advice)


class EventStream(ExerciseCase):
    def setUp(self) -> None:
        super().setUp()
        self.streams: list[Stream] = []

    def tearDown(self) -> None:
        for stream in self.streams:
            stream.task.cancel()
        super().tearDown()

    def open(self, last: str = "") -> Stream:
        self.streams.append(Stream(self, last))
        return self.streams[-1]

    async def say(self, text: str) -> None:
        self._app.settings["room"].say(text)

    @gen_test
    async def test_what_was_said_before_is_sent_first(self) -> None:
        await self.say("one")
        await self.say("two")
        stream = self.open()
        await stream.expect(1, "one", SEND)
        await stream.expect(2, "two", SEND)

    @gen_test
    async def test_news_arrive_on_the_open_stream(self) -> None:
        await self.say("one")
        stream = self.open()
        await stream.expect(1, "one", SEND)
        for number, text in ((2, "two"), (3, "three")):
            stream.sent += f"\nroom.say({text!r})"
            await self.say(text)
            await stream.expect(number, text, NEXT)

    @gen_test
    async def test_texts_that_are_said_at_the_same_time_all_arrive(self) -> None:
        await self.say("one")
        stream = self.open()
        await stream.expect(1, "one", SEND)
        for text in ("two", "three"):
            stream.sent += f"\nroom.say({text!r})"
            await self.say(text)  # without a turn of the event loop in between
        await stream.expect(2, "two", ALL)
        await stream.expect(3, "three", ALL)

    @gen_test
    async def test_a_client_that_connects_again_gets_what_it_has_missed(self) -> None:
        for text in ("one", "two", "three"):
            await self.say(text)
        stream = self.open(last="1")
        await stream.expect(2, "two", RESUME)
        await stream.expect(3, "three", RESUME)

    @gen_test
    async def test_a_text_of_two_lines_is_one_event(self) -> None:
        await self.say("two\nlines")
        stream = self.open()
        await stream.expect(1, "two\nlines", LINES)
