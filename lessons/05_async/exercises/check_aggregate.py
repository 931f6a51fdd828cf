"""Both services are asked before either has answered, and the page has what both say."""

import asyncio

import tornado.httpserver
import tornado.web
from tornado.testing import bind_unused_port

from course.testing.http import ExerciseCase, Mismatch

LOOK = (
    "get(): await asyncio.gather(self.ask(...), self.ask(...)) starts both and waits for both;\n"
    "see GatherHandler in parallel.py"
)
AWAIT = (
    "One await in front of asyncio.gather(...), and none inside its brackets: gather() takes the\n"
    "coroutines as they are. A list cannot be awaited; see GatherHandler in parallel.py"
)
ORDER = "each number comes from the service of its name: gather() keeps the order of its arguments"
SWAPPED = "The two numbers are swapped: gather() returns the results in the order of its arguments"
FRESH = "ask both services for each request: their numbers change"
ALONE = 0.8  # seconds that a question waits for the other one
NUMBERS = {"price": 12, "stock": 3}


class ServiceHandler(tornado.web.RequestHandler):
    """Answers when both questions are there, or after a while when only one comes."""

    async def get(self, what: str) -> None:
        events, both = self.settings["events"], self.settings["both"]
        events.append(f"{what} asked")
        if sum(event.endswith("asked") for event in events) == len(NUMBERS):
            both.set()
        try:
            await asyncio.wait_for(both.wait(), ALONE)
        except TimeoutError:
            events.append("nobody else asks")
            both.set()  # that was long enough for the whole check
        events.append(f"{what} answered")
        self.write({what: self.settings["numbers"][what]})


class Aggregate(ExerciseCase):
    def setUp(self) -> None:
        super().setUp()
        self.events: list[str] = []
        self.numbers = dict(NUMBERS)
        services = tornado.web.Application(
            [(r"/(price|stock)", ServiceHandler)],
            events=self.events,
            both=asyncio.Event(),
            numbers=self.numbers,
        )
        self.services = tornado.httpserver.HTTPServer(services)
        listener, port = bind_unused_port()
        self.services.add_socket(listener)
        self._app.settings["upstream"] = f"http://127.0.0.1:{port}"

    def tearDown(self) -> None:
        self.services.stop()
        self.io_loop.run_sync(self.services.close_all_connections)
        super().tearDown()

    def test_both_are_asked_before_either_has_answered(self) -> None:
        answer = self.send("GET", "/shop")
        answer.expect(status=200, advice=AWAIT if answer.status == 500 else LOOK)
        asked_first = [event.endswith("asked") for event in self.events[:2]] == [True, True]
        if not asked_first or len(self.events) != 4:
            raise Mismatch(
                sent="GET /shop",
                received="at the services  " + (" -> ".join(self.events) or "no question at all"),
                expected="at the services  price asked -> stock asked -> both answered",
                advice=LOOK,
            )

    def test_the_page_has_both_numbers(self) -> None:
        answer = self.send("GET", "/shop").expect(status=200, advice=LOOK)
        swapped = answer.json(advice=ORDER) == {"price": 3, "stock": 12}
        answer.expect(json=NUMBERS, advice=SWAPPED if swapped else ORDER)

    def test_the_numbers_are_asked_for_each_request(self) -> None:
        self.send("GET", "/shop")
        self.numbers |= {"price": 7, "stock": 0}
        self.send("GET", "/shop").expect(status=200, json=self.numbers, advice=FRESH)
