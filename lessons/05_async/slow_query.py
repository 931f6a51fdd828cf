"""A slow query in a thread of this program, and behind HTTP in a service of its own.

Run it:  python3 learn.py run 05/slow_query
"""

import asyncio
import contextlib
import sqlite3
import time

import tornado.escape
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line

# Counts to 300,000. The driver, which is written in C, lets other threads run meanwhile.
SLOW = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 300000)
SELECT count(*) FROM numbers"""


def query() -> dict[str, float]:
    """Run the query; return its result, and the milliseconds that the database took."""
    begun = time.perf_counter()
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        counted = db.execute(SLOW).fetchone()[0]
    return {"counted": counted, "query": (time.perf_counter() - begun) * 1000}


class ServiceHandler(tornado.web.RequestHandler):
    """The service: it also needs a thread, or it would serve one request after the other."""

    async def get(self) -> None:
        self.write(await asyncio.to_thread(query))


class CompareHandler(tornado.web.RequestHandler):
    async def ask(self) -> dict[str, float]:
        raise NotImplementedError  # each subclass has its own

    async def get(self) -> None:
        begun = time.perf_counter()
        answer = await self.ask()
        total = (time.perf_counter() - begun) * 1000
        self.write(
            {
                "counted": answer["counted"],
                "query in ms": round(answer["query"], 1),
                "the way there and back in ms": round(total - answer["query"], 1),
            }
        )


class ThreadHandler(CompareHandler):
    async def ask(self) -> dict[str, float]:
        return await asyncio.to_thread(query)


class HTTPHandler(CompareHandler):
    async def ask(self) -> dict[str, float]:
        response = await AsyncHTTPClient().fetch(self.settings["service"])
        return tornado.escape.json_decode(response.body)


class PingHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("pong\n")


def make_app(service: str) -> tornado.web.Application:
    """/thread runs the query in a thread, /http asks the service at this address for it."""
    return tornado.web.Application(
        [
            (r"/", PingHandler),
            (r"/thread", ThreadHandler),
            (r"/http", HTTPHandler),
            (r"/service", ServiceHandler),
        ],
        service=service,
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    # The service is a part of this script, so that you have to start only one program.
    make_app(f"http://localhost:{options.port}/service").listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
