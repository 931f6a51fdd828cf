# The rows are SimpleNamespace objects with an index; commits instead of autocommit.
"""The four methods of torndb over sqlite3, and two pages on them."""

import asyncio
import contextlib
import json
import sqlite3
import types
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line

TABLE = "CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT, price INTEGER)"


class Row(types.SimpleNamespace):
    def __getitem__(self, key):
        return getattr(self, key)

    def keys(self):
        return list(vars(self))


class Connection:
    def __init__(self, file: str = ":memory:") -> None:
        self.link = sqlite3.connect(file)

    def query(self, sql, *values):
        cur = self.link.cursor()
        cur.execute(sql, values)
        columns = [c[0] for c in cur.description]
        return [Row(**dict(zip(columns, r))) for r in cur]

    def get(self, sql, *values):
        first, *others = self.query(sql, *values) or [None]
        if others:
            raise LookupError
        return first

    def execute(self, sql, *values):
        with self.link:
            return self.link.execute(sql, values).lastrowid

    def execute_rowcount(self, sql, *values):
        with self.link:
            return self.link.execute(sql, values).rowcount


class HousesHandler(tornado.web.RequestHandler):
    def post(self):
        title = self.get_body_argument("title")
        price = int(self.get_body_argument("price"))
        id = self.settings["db"].execute("INSERT INTO houses (title, price) VALUES (?, ?)", title, price)
        self.set_status(201)
        self.write({"id": id})


class HouseHandler(tornado.web.RequestHandler):
    def get(self, id):
        house = self.settings["db"].get("SELECT * FROM houses WHERE id = ?", id)
        if house is None:
            raise tornado.web.HTTPError(404)
        self.write(dict(house))


def make_app(db: Any = None) -> tornado.web.Application:
    if db is None:
        db = Connection()
        db.execute(TABLE)
    return tornado.web.Application([(r"/houses", HousesHandler), (r"/houses/(\d+)", HouseHandler)], db=db)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
