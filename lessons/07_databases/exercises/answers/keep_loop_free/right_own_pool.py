# A pool of threads of one's own, try and finally, and a loop over the rows.
"""A report that keeps the database busy for a while. Let the others be served meanwhile."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line

SLOW = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000000)
SELECT count(*) FROM n"""
POOL = ThreadPoolExecutor(4)


class ReportHandler(tornado.web.RequestHandler):
    def count(self, connect):
        db = connect(":memory:")
        try:
            for row in db.execute(SLOW):
                return row[0]
        finally:
            db.close()

    async def get(self) -> None:
        counted = await asyncio.wrap_future(POOL.submit(self.count, self.settings["connect"]))
        self.finish({"counted": counted})


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
