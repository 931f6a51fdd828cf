"""LIKE with text from a visitor: % and _ in it are wildcards unless they are escaped.

Run it:  python3 learn.py run 07/search
"""

import asyncio
import contextlib
import json

import tornado.web
from store.torndb3 import Connection
from tornado.options import define, options, parse_command_line

OFFERS = ["10 % off", "10% more", "100 pins", "a_b", "acb"]


def escaped(text: str) -> str:
    """Return the text with an ! in front of each character that LIKE does not read as itself."""
    for character in "!%_":  # the ! first, or the new ones would be escaped again
        text = text.replace(character, "!" + character)
    return text


class SearchHandler(tornado.web.RequestHandler):
    def find(self, pattern: str) -> None:
        sql = "SELECT title FROM offers WHERE title LIKE %s ESCAPE '!' ORDER BY title"
        rows = self.settings["db"].query(sql, f"%{pattern}%")  # the wildcards are in the value
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps([row.title for row in rows]))


class CarelessHandler(SearchHandler):
    def get(self) -> None:
        self.find(self.get_query_argument("q"))


class CarefulHandler(SearchHandler):
    def get(self) -> None:
        self.find(escaped(self.get_query_argument("q")))


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Open /careless?q=a_b or /careful?q=a_b")


def new_database() -> Connection:
    """Make a small database in memory: its queries are too short to delay the event loop."""
    db = Connection("sqlite:///:memory:")
    db.execute("CREATE TABLE offers (title TEXT)")
    for title in OFFERS:
        db.execute("INSERT INTO offers VALUES (%s)", title)
    return db


def make_app(db: Connection) -> tornado.web.Application:
    """/careful and /careless return the titles that contain ?q=."""
    return tornado.web.Application(
        [(r"/", HomeHandler), (r"/careful", CarefulHandler), (r"/careless", CarelessHandler)],
        db=db,
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    with contextlib.closing(new_database()) as db:
        make_app(db).listen(options.port, "localhost")
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
