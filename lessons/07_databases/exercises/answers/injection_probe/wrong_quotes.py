# The value is pasted in quotes: a quote ends them.
# Told: the statement  SELECT title FROM houses WHERE id = '42'
# Told: Write a ? into the SQL and pass the value separately: execute('... WHERE id
"""A search that believes every word of its visitors. Find out what they can do, and end it."""

import asyncio
import contextlib
import sqlite3

import tornado.web
from tornado.options import define, options, parse_command_line

HOUSES = """CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT);
INSERT INTO houses (title) VALUES ('Lighthouse'), ('Windmill');"""


class HouseHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        row = self.ask("SELECT title FROM houses WHERE id = ").fetchone()
        if row is None:
            raise tornado.web.HTTPError(404)
        self.write({"title": row[0]})

    def delete(self) -> None:
        if self.ask("DELETE FROM houses WHERE id = ").rowcount == 0:
            raise tornado.web.HTTPError(404)
        self.set_status(204)

    def ask(self, sql: str) -> sqlite3.Cursor:
        return self.settings["db"].execute(f"{sql}'{self.get_argument('id')}'")


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
