"""The four methods of torndb over sqlite3, and two pages on them."""

import asyncio
import contextlib
import sqlite3
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line

TABLE = "CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT, price INTEGER)"


class Row(dict[str, Any]):
    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Connection:
    def __init__(self, file: str = ":memory:") -> None:
        self.link = sqlite3.connect(file, isolation_level=None)

    def query(self, sql: str, *values: Any) -> list[Row]:
        cursor = self.link.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [Row(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def get(self, sql: str, *values: Any) -> Row | None:
        rows = self.query(sql, *values)
        if len(rows) > 1:
            raise LookupError("several rows for get()")
        return rows[0] if rows else None

    def execute(self, sql: str, *values: Any) -> int | None:
        return self.link.execute(sql, values).lastrowid

    def execute_rowcount(self, sql: str, *values: Any) -> int:
        return self.link.execute(sql, values).rowcount


class HousesHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        sql = "INSERT INTO houses (title, price) VALUES (?, ?)"
        title, price = self.get_body_argument("title"), self.get_body_argument("price")
        self.set_status(201)
        self.write({"id": self.settings["db"].execute(sql, title, price)})


class HouseHandler(tornado.web.RequestHandler):
    def get(self, number: str) -> None:
        house = self.settings["db"].get("SELECT * FROM houses WHERE id = ?", int(number))
        if house is None:
            raise tornado.web.HTTPError(404)
        self.write(house)


def make_app(db: Any = None) -> tornado.web.Application:
    if db is None:
        db = Connection()
        db.execute(TABLE)
    routes = [(r"/houses", HousesHandler), (r"/houses/(\d+)", HouseHandler)]
    return tornado.web.Application(routes, db=db)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
