# The function is called, and its result is handed to the thread.
# Told: pong only when the query was over
# Told: The query runs in the thread of the event loop. Put it into a function of i
"""A report that keeps the database busy for a while. Let the others be served meanwhile."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line

SLOW = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000000)
SELECT count(*) FROM n"""


class ReportHandler(tornado.web.RequestHandler):
    def count(self) -> int:
        with contextlib.closing(self.settings["connect"](":memory:")) as db:
            return db.execute(SLOW).fetchone()[0]

    async def get(self) -> None:
        number = self.count()
        self.write({"counted": await asyncio.to_thread(lambda: number)})


def make_app(connect: Callable[[str], Any] = sqlite3.connect) -> tornado.web.Application:
    return tornado.web.Application([(r"/report", ReportHandler)], connect=connect)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
