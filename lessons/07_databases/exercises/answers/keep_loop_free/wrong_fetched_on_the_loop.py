# The thread executes, the loop fetches.
# Told: 500 Internal Server Error
# Told: A connection may be used only in the thread that opened it. Open it, use it
# Told: ProgrammingError: SQLite objects created in a thread can onl
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
    def ask(self):
        self.db = self.settings["connect"](":memory:")
        return self.db.execute(SLOW)

    async def get(self) -> None:
        cursor = await asyncio.to_thread(self.ask)
        self.write({"counted": cursor.fetchone()[0]})
        self.db.close()


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
