"""A ping is answered while the query runs, and each report opens and closes its connection."""

import asyncio
import sqlite3
import threading
import time
from typing import Any

import tornado.web
from tornado.testing import gen_test

from course.testing.http import ExerciseCase, Mismatch

PATIENCE = 1.0  # seconds that the query waits for a ping: only a loop that is blocked takes so long
ASKED = "GET /report, and GET /ping while the query runs"
THREAD = (
    "The query runs in the thread of the event loop. Put it into a function of its own, and let a "
    "thread call that:\nawait IOLoop.current().run_in_executor(None, function)"
)
BLOCKED = (
    "A thread runs the query, but the event loop stands still until it has finished. Await the "
    "result: result() and join() block."
)
ANSWER = "Back in the handler, write {'counted': ...} with the number that the query returned."
OWN = (
    "A connection may be used only in the thread that opened it. Open it, use it, fetch the row "
    "and close it in the function that the thread runs."
)
NONE = "Each report opens a connection of its own with settings['connect'](':memory:')."
CLOSE = (
    "with contextlib.closing(connect(':memory:')) as db: closes it at the end, also after an "
    "error. `with connect(...) as db` alone ends a transaction and closes nothing."
)


class SlowCursor(sqlite3.Cursor):
    """A query that lasts until a ping has been answered, or until the time is over."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        self.connection.case.query()  # type: ignore[attr-defined]
        return super().execute('SELECT 42 AS "count(*)"')


class Connection(sqlite3.Connection):
    """A real connection, which refuses to be used in another thread than that which opened it."""

    def __init__(self, case: "KeepLoopFree") -> None:
        super().__init__(":memory:")
        self.case, self.closed = case, False

    def cursor(self, factory: Any = SlowCursor) -> Any:
        return super().cursor(factory)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self.cursor().execute(sql, *values)
        return cursor

    def close(self) -> None:
        super().close()  # raises in a thread that is not its own
        self.closed = True


class PingHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("pong")


class KeepLoopFree(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        # Those that the exercise leaves open stay open until the process of the check ends: its
        # thread may still use one, and SQLite may crash if another thread closes it meanwhile.
        self.connections: list[Connection] = []
        self.loop_thread = threading.get_ident()
        self.on_loop, self.free, self.fails = False, True, False
        self.began, self.ponged = asyncio.Event(), threading.Event()
        app = self.make_app(self.connect)
        app.add_handlers(".*", [("/ping", PingHandler)])
        return app

    def connect(self, *_: object, **__: object) -> Connection:
        connection = Connection(self)
        self.connections.append(connection)
        return connection

    def query(self) -> None:
        """Work for a while, in the thread that asks."""
        if threading.get_ident() == self.loop_thread:
            self.on_loop = True  # no ping can come
        else:
            self.io_loop.add_callback(self.began.set)
            self.free = self.ponged.wait(PATIENCE)
        if self.fails:
            raise sqlite3.OperationalError("the check lets this query fail")

    @gen_test
    async def test_a_ping_is_answered_while_the_query_runs(self) -> None:
        report = asyncio.create_task(self.request("GET", "/report"))
        began = asyncio.create_task(self.began.wait())
        await asyncio.wait({report, began}, return_when=asyncio.FIRST_COMPLETED)
        began.cancel()
        if not report.done():
            (await self.request("GET", "/ping")).expect(status=200, body="pong", advice=BLOCKED)
            self.ponged.set()
        answer = await report
        if self.on_loop or not self.free:
            raise Mismatch(
                sent=ASKED,
                received="pong only when the query was over",
                expected="pong before that",
                advice=THREAD if self.on_loop else BLOCKED,
            )
        answer.expect(status=200, advice=OWN)
        answer.expect(json={"counted": 42}, advice=ANSWER)

    def test_each_report_has_a_connection_and_closes_it(self) -> None:
        self.ponged.set()
        for _ in range(2):
            answer = self.send("GET", "/report").expect(status=200, advice=OWN)
        sent = f"{answer.sent}, twice; then: which connections are closed?"
        self.expect_closed(2, sent)

    def test_a_query_that_fails_closes_it_too(self) -> None:
        self.ponged.set()
        self.fails = True
        answer = self.send("GET", "/report")
        sent = f"{answer.sent}\nthe query fails; then: which connections are closed?"
        self.expect_closed(1, sent)

    def expect_closed(self, count: int, sent: str) -> None:
        # A thread of the exercise may still be at it when the answer has come.
        for _ in range(20):
            if all(connection.closed for connection in self.connections):
                break
            time.sleep(0.02)
        closed = [connection.closed for connection in self.connections]
        advice = CLOSE if len(closed) == count else NONE
        self.expect(closed, [True] * count, sent=sent, advice=advice)
