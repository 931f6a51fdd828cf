"""Houses by their id. The id becomes a part of the SQL, so a visitor can write SQL."""

import asyncio
import contextlib
import sqlite3

import tornado.web
from tornado.options import define, options, parse_command_line

HOUSES = """CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT);
INSERT INTO houses (title) VALUES ('Lighthouse'), ('Windmill');"""


class HouseHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"title": self.ask("SELECT title FROM houses WHERE id = ").fetchone()[0]})

    def delete(self) -> None:
        self.ask("DELETE FROM houses WHERE id = ")
        self.set_status(204)

    # TODO: pass the value separately from the SQL. Without such a house, answer 404.
    def ask(self, sql: str) -> sqlite3.Cursor:
        return self.settings["db"].execute(sql + self.get_argument("id"))


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
