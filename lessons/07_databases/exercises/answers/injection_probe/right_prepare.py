# prepare() finds the house, and ends the request when there is none.
"""A search that believes every word of its visitors. Find out what they can do, and end it."""

import asyncio
import contextlib
import sqlite3

import tornado.web
from tornado.options import define, options, parse_command_line

HOUSES = """CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT);
INSERT INTO houses (title) VALUES ('Lighthouse'), ('Windmill');"""


class HouseHandler(tornado.web.RequestHandler):
    async def prepare(self) -> None:
        self.db = self.settings["db"]
        self.id = self.get_argument("id", "")
        if not self.id.isdigit():
            self.send_error(404)
            return
        self.row = self.db.execute("SELECT title FROM houses WHERE id = ?1", [self.id]).fetchone()
        if self.row is None:
            self.set_status(404)
            await self.finish("No such house")

    async def get(self) -> None:
        await self.finish({"title": self.row[0]})

    async def delete(self) -> None:
        with self.db:
            self.db.execute("DELETE FROM houses WHERE id = ?1", [self.id])
        self.set_status(204)
        await self.finish()


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
