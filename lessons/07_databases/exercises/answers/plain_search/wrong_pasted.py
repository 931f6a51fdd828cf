# Pastes the pattern.
# Told: q=r%27s
# Told: separately from the SQL
"""Search the titles for the text that a visitor has typed, whatever characters are in it."""

import asyncio
import contextlib
import sqlite3

import tornado.web
from tornado.options import define, options, parse_command_line


class SearchHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        text = self.get_query_argument("q", "")
        for character in "!%_":
            text = text.replace(character, "!" + character)
        sql = f"SELECT title FROM offers WHERE title LIKE '%{text}%' ESCAPE '!' ORDER BY title"
        rows = self.settings["db"].execute(sql)
        self.write({"titles": [title for (title,) in rows]})


def new_database() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE offers (title TEXT)")
    titles = [["10 % off"], ["10% more"], ["100 pins"], ["a_b"], ["acb"]]
    db.executemany("INSERT INTO offers VALUES (?)", titles)
    return db


def make_app(db: sqlite3.Connection | None = None) -> tornado.web.Application:
    return tornado.web.Application([(r"/", SearchHandler)], db=db or new_database())


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
