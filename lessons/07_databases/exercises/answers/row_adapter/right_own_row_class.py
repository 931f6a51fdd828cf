# A Row class of one's own, with slots, keys() and no dict; handlers with initialize().
"""The four methods of torndb over sqlite3, and two pages on them."""

import asyncio
import contextlib
import json
import sqlite3
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line

TABLE = "CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT, price INTEGER)"


class ManyRows(LookupError):
    pass


class Row:
    def __init__(self, names, values):
        self.__dict__.update(zip(names, values))

    def __getitem__(self, name):
        return self.__dict__[name]

    def __repr__(self):
        return f"Row({self.__dict__})"


class Connection:
    def __init__(self, file: str = ":memory:") -> None:
        self.link = sqlite3.connect(file, isolation_level=None)

    def run(self, sql, values):
        cursor = self.link.cursor()
        try:
            cursor.execute(sql, values)
            names = [name for name, *_ in cursor.description or []]
            return [Row(names, row) for row in cursor.fetchall()], cursor.lastrowid, cursor.rowcount
        finally:
            cursor.close()

    def query(self, sql: str, *values: Any) -> list[Row]:
        return self.run(sql, values)[0]

    def get(self, sql: str, *values: Any) -> Row | None:
        match self.query(sql, *values):
            case []:
                return None
            case [row]:
                return row
            case rows:
                raise ManyRows(f"{len(rows)} rows")

    def execute(self, sql: str, *values: Any) -> int | None:
        return self.run(sql, values)[1]

    def execute_rowcount(self, sql: str, *values: Any) -> int:
        return self.run(sql, values)[2]


class BaseHandler(tornado.web.RequestHandler):
    def initialize(self, db):
        self.db = db


class NewHouse(BaseHandler):
    async def post(self):
        row = self.get_argument("title"), self.get_argument("price")
        new = self.db.execute("INSERT INTO houses(title, price) VALUES (?, ?)", *row)
        self.set_header("Location", f"/houses/{new}")
        self.set_status(201, "Created")
        self.finish(dict(id=new))


class OneHouse(BaseHandler):
    async def get(self, number: str):
        house = self.db.get("SELECT id, title, price FROM houses WHERE id=?", int(number))
        if not house:
            self.send_error(404)
            return
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"id": house.id, "title": house.title, "price": house["price"]}))


def make_app(db: Any = None) -> tornado.web.Application:
    if not db:
        db = Connection()
        db.execute(TABLE)
    return tornado.web.Application(
        [
            (r"/houses/?", NewHouse, {"db": db}),
            (r"/houses/([0-9]+)", OneHouse, {"db": db}),
        ]
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
