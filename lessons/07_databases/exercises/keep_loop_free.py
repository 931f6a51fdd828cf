"""A report whose query takes seconds. Answer other requests in the meantime."""

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
    def get(self) -> None:
        # TODO: run the query in a thread, over a connection that this thread opens and closes.
        db = self.settings["connect"](":memory:")
        self.write({"counted": db.execute(SLOW).fetchone()[0]})


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
