# The id is made a number first; what is none is a 404; a cursor of one's own.
"""A search that believes every word of its visitors. Find out what they can do, and end it."""

import asyncio
import contextlib
import sqlite3

import tornado.web
from tornado.options import define, options, parse_command_line

HOUSES = """CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT);
INSERT INTO houses (title) VALUES ('Lighthouse'), ('Windmill');"""


class HouseHandler(tornado.web.RequestHandler):
    def number(self) -> int:
        try:
            return int(self.get_query_argument("id"))
        except ValueError:
            raise tornado.web.HTTPError(404, reason="No such house") from None

    def get(self) -> None:
        cursor = self.settings["db"].cursor()
        cursor.execute("SELECT title FROM houses WHERE id=?", (self.number(),))
        for (title,) in cursor:
            self.write({"title": title})
            return
        raise tornado.web.HTTPError(404, reason="No such house")

    def delete(self) -> None:
        cursor = self.settings["db"].cursor()
        cursor.execute("DELETE FROM houses WHERE id=?", (self.number(),))
        if cursor.rowcount == 0:
            raise tornado.web.HTTPError(404, reason="No such house")
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
