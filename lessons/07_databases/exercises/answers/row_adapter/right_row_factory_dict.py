# A row_factory makes dicts with attributes; the settings are read by a property; 404 by set_status.
"""The four methods of torndb over sqlite3, and two pages on them."""

import asyncio
import contextlib
import sqlite3
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line

TABLE = "CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT, price INTEGER)"


class Row(dict):
    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(f"no column {name!r}")


def make_row(cursor: sqlite3.Cursor, values: tuple) -> Row:
    return Row({column[0]: value for column, value in zip(cursor.description, values)})


class Connection:
    def __init__(self, file: str = ":memory:") -> None:
        self.link = sqlite3.connect(file, isolation_level=None)
        self.link.row_factory = make_row

    def query(self, sql: str, *values: Any) -> list[Row]:
        return list(self.link.execute(sql, values))

    def get(self, sql: str, *values: Any) -> Row | None:
        cursor = self.link.execute(sql, values)
        row = cursor.fetchone()
        if row is not None and cursor.fetchone() is not None:
            raise LookupError("more than one row")
        return row

    def execute(self, sql: str, *values: Any) -> int:
        cursor = self.link.cursor()
        cursor.execute(sql, list(values))
        return cursor.lastrowid

    def execute_rowcount(self, sql: str, *values: Any) -> int:
        cursor = self.link.cursor()
        cursor.execute(sql, list(values))
        return cursor.rowcount


class HouseHandler(tornado.web.RequestHandler):
    @property
    def db(self) -> Connection:
        return self.application.db

    def post(self, number: str | None = None) -> None:
        if number:
            raise tornado.web.HTTPError(405)
        try:
            price = int(self.get_argument("price"))
        except ValueError:
            raise tornado.web.HTTPError(400, "no number") from None
        new = self.db.execute(
            "INSERT INTO houses (title, price) VALUES (?, ?)", self.get_argument("title"), price
        )
        self.set_status(201)
        self.write({"id": new})

    def get(self, number: str | None = None) -> None:
        if number and (house := self.db.get("SELECT * FROM houses WHERE id = ?", number)):
            self.write(house)
        else:
            self.set_status(404)
            self.finish({"error": "not found"})


class HouseApplication(tornado.web.Application):
    def __init__(self, db):
        self.db = db
        super().__init__([(r"/houses(?:/(\d+))?", HouseHandler)])


def make_app(db: Any = None) -> tornado.web.Application:
    if db is None:
        db = Connection()
        db.execute(TABLE)
    return HouseApplication(db)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
