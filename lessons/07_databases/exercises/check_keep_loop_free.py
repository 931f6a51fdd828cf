"""While the database works on a report, a ping is answered; and no connection changes hands."""

import asyncio
import contextlib
import sqlite3
import threading

import tornado.web
from tornado.testing import gen_test

from course.exercise_case import ExerciseCase, Mismatch

PATIENCE = 1.0  # seconds that the query waits for somebody to be served meanwhile
THREAD = (
    "the query, in a function of its own: await IOLoop.current().run_in_executor(None, function)"
)
OWN = "call connect() inside the function that the thread runs, not in front of it"
CLOSE = "with contextlib.closing(connect()) as db: closes it whatever happens"
ANSWER = "write {'counted': ...} with what the query counted, back in the handler"


class Slow:
    """A connection whose query lasts until a ping has been answered, or the patience is over."""

    def __init__(self, case: "KeepLoopFree") -> None:
        self.case, self.thread = case, threading.get_ident()
        self.link = sqlite3.connect(":memory:", check_same_thread=False)
        case.connections.append(self)
        self.closed = False

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        if threading.get_ident() != self.thread:
            raise sqlite3.ProgrammingError(
                "SQLite objects created in a thread can only be used in that same thread."
            )
        self.case.begin()
        self.case.free.append(self.case.ponged.wait(PATIENCE))
        return self.link.execute("SELECT 42")

    def close(self) -> None:
        self.closed = True
        self.link.close()


class PingHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("pong")


class KeepLoopFree(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        self.connections: list[Slow] = []
        self.free: list[bool] = []
        self.began, self.ponged = asyncio.Event(), threading.Event()
        app = self.make_app(lambda file: Slow(self))
        app.add_handlers(".*", [("/ping", PingHandler)])
        return app

    def tearDown(self) -> None:
        super().tearDown()
        for connection in self.connections:
            connection.link.close()

    def begin(self) -> None:
        self.io_loop.add_callback(self.began.set)

    @gen_test
    async def test_a_ping_is_answered_while_the_query_runs(self) -> None:
        report = asyncio.create_task(self.request("GET", "/report"))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.began.wait(), 2 * PATIENCE)
        (await self.request("GET", "/ping")).expect(status=200, body="pong", look=THREAD)
        self.ponged.set()
        answer = await report
        answer.expect(status=200, json={"counted": 42}, look=f"{ANSWER}\n{OWN}")
        if self.free != [True]:
            raise Mismatch(
                sent="GET /report, and GET /ping while the query runs",
                came="pong only when the query was over",
                expected="pong before that",
                look=THREAD,
            )

    def test_each_report_has_a_connection_and_closes_it(self) -> None:
        self.ponged.set()
        for _ in range(2):
            answer = self.send("GET", "/report")
            answer.expect(status=200, json={"counted": 42}, look=f"{ANSWER}\n{OWN}")
        self.expect(
            [connection.closed for connection in self.connections],
            [True, True],
            sent="GET /report, twice; then: which connections are closed?",
            look=f"{OWN}\n{CLOSE}",
        )
