"""The four methods of torndb over sqlite3, and two pages on them."""

import asyncio
import contextlib
import sqlite3
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line

TABLE = "CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT, price INTEGER)"


class Connection:
    # TODO 1: query(sql, *values) -> list of rows: row["title"], and row.title too.
    # TODO 2: get -> the one row or None, LookupError when there are several.
    # TODO 3: execute -> the id of the new row; execute_rowcount -> how many rows changed.
    def __init__(self, file: str = ":memory:") -> None:
        self.link = sqlite3.connect(file, isolation_level=None)


def make_app(db: Any = None) -> tornado.web.Application:
    # TODO 4: POST /houses (title, price) -> 201, {"id": 1}; GET /houses/1 -> the row, or 404.
    return tornado.web.Application([])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
