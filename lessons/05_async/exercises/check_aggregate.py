"""Both services are asked before either has answered, and the page has what both say."""

import asyncio

import tornado.httpserver
import tornado.web
from tornado.testing import bind_unused_port

from course.exercise_case import ExerciseCase, Mismatch

LOOK = (
    "get(): asyncio.gather(self.ask(...), self.ask(...)) starts both;\n"
    "see GatherHandler in parallel.py"
)
ALONE = 1.0  # seconds that a question waits for the other one
NUMBERS = {"price": 12, "stock": 3}


class ServiceHandler(tornado.web.RequestHandler):
    """Answers when both questions are there; one that stays alone is answered all the same."""

    async def get(self, what: str) -> None:
        events, both = self.settings["events"], self.settings["both"]
        events.append(f"{what} asked")
        if sum(event.endswith("asked") for event in events) == len(NUMBERS):
            both.set()
        try:
            await asyncio.wait_for(both.wait(), ALONE)
        except TimeoutError:
            events.append("nobody else asks")
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

    def test_the_page_has_both_numbers(self) -> None:
        self.send("GET", "/shop").expect(status=200, json=NUMBERS, look=LOOK)

    def test_the_numbers_are_those_of_the_services(self) -> None:
        self.numbers |= {"price": 7, "stock": 0}
        self.send("GET", "/shop").expect(
            status=200, json=self.numbers, look="each number comes from the service of its name"
        )

    def test_both_are_asked_before_either_has_answered(self) -> None:
        self.send("GET", "/shop").expect(status=200, look=LOOK)
        asked_first = [event.endswith("asked") for event in self.events[:2]] == [True, True]
        if not asked_first or len(self.events) != 4:
            raise Mismatch(
                sent="GET /shop",
                came="at the services  " + (" -> ".join(self.events) or "no question at all"),
                expected="at the services  price asked -> stock asked -> both answered",
                look=LOOK,
            )
