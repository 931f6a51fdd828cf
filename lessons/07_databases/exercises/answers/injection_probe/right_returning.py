# DELETE ... RETURNING says whether there was a house; the values are arguments of a helper.
"""A search that believes every word of its visitors. Find out what they can do, and end it."""

import asyncio
import contextlib
import json
import sqlite3

import tornado.web
from tornado.options import define, options, parse_command_line

HOUSES = """CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT);
INSERT INTO houses (title) VALUES ('Lighthouse'), ('Windmill');"""


class HouseHandler(tornado.web.RequestHandler):
    def one(self, sql, *values):
        rows = self.application.settings["db"].execute(sql, values).fetchall()
        if len(rows) != 1:
            raise tornado.web.HTTPError(404, "no house %s", self.get_argument("id"))
        return rows[0]

    def get(self):
        (title,) = self.one("SELECT title FROM houses WHERE id = ? LIMIT 1", self.get_argument("id"))
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps({"title": title}))

    def delete(self):
        self.one("DELETE FROM houses WHERE id = ? RETURNING id", self.get_argument("id"))
        self.set_status(204)


def make_app(db: sqlite3.Connection | None = None) -> tornado.web.Application:
    if db is None:
        db = sqlite3.connect(":memory:")
        db.executescript(HOUSES)
    return tornado.web.Application([(r"/house", HouseHandler)], db=db)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
