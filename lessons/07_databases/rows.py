"""Houses from a database: one table, two queries, two pages.

Run it:  python3 learn.py run 07/rows
"""

import asyncio
import contextlib
import sqlite3

import tornado.web
from tornado.options import define, options, parse_command_line

TABLE = """
CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT, price INTEGER);
INSERT INTO houses (title, price) VALUES ('Lighthouse', 140), ('Windmill', 95), ('Treehouse', 60);
"""


def new_database() -> sqlite3.Connection:
    """Open a database in memory, and fill it."""
    db = sqlite3.connect(":memory:")
    db.row_factory = sqlite3.Row
    db.executescript(TABLE)
    return db


class HousesHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        rows = self.settings["db"].execute("SELECT title, price FROM houses ORDER BY price")
        self.write({"houses": [dict(row) for row in rows]})


class HouseHandler(tornado.web.RequestHandler):
    def get(self, number: str) -> None:
        sql = "SELECT title, price FROM houses WHERE id = ?"
        row = self.settings["db"].execute(sql, [number]).fetchone()
        if row is None:
            raise tornado.web.HTTPError(404, reason="No such house")
        self.write(dict(row))


def make_app(db: sqlite3.Connection) -> tornado.web.Application:
    """/ lists the houses, /house/ID shows one."""
    return tornado.web.Application(
        [(r"/", HousesHandler), (r"/house/(\d{1,9})", HouseHandler)], db=db
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    with contextlib.closing(new_database()) as db:
        make_app(db).listen(options.port, "localhost")
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
