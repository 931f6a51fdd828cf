"""A value from a visitor, pasted into SQL and passed separately: pasted, it can change the SQL.

Run it:  python3 learn.py run 07/injection
"""

import asyncio
import contextlib
import json

import tornado.web
from store.torndb3 import Connection, Row
from tornado.options import define, options, parse_command_line

HOUSES = [("Lighthouse", "4711"), ("Miller's windmill", "0815")]  # title, code of the lock
TYPED = ["Miller's windmill", "x' UNION SELECT code FROM houses --"]


def pasted(db: Connection, title: str) -> list[Row]:
    # Never do this. Programs that check code, such as ruff, report it; noqa turns that off here.
    return db.query(f"SELECT title FROM houses WHERE title = '{title}'")  # noqa: S608


def bound(db: Connection, title: str) -> list[Row]:
    return db.query("SELECT title FROM houses WHERE title = %s", title)


class SearchHandler(tornado.web.RequestHandler):
    def get(self, way: str) -> None:
        ask = pasted if way == "pasted" else bound
        rows = ask(self.settings["db"], self.get_query_argument("title", ""))
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps([row.title for row in rows]))


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Open /pasted?title=Lighthouse or /bound?title=Lighthouse")


def new_database() -> Connection:
    """Make a small database in memory: its queries are too short to delay the event loop."""
    db = Connection("sqlite:///:memory:")
    db.execute("CREATE TABLE houses (title TEXT, code TEXT)")
    for house in HOUSES:
        db.execute("INSERT INTO houses VALUES (%s, %s)", *house)
    return db


def make_app(db: Connection) -> tornado.web.Application:
    """/pasted and /bound return the titles that equal ?title=."""
    return tornado.web.Application(
        [(r"/", HomeHandler), (r"/(pasted|bound)", SearchHandler)], db=db
    )


def result(ask: object, db: Connection, title: str) -> str:
    try:
        return ", ".join(row.title for row in ask(db, title)) or "nothing"  # type: ignore[operator]
    except Exception as error:
        return f"{type(error).__name__}: {error}"


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    with contextlib.closing(new_database()) as db:
        for title in TYPED:
            print(f"typed   {title}")
            print(f"pasted  {result(pasted, db, title)}")
            print(f"bound   {result(bound, db, title)}")
        make_app(db).listen(options.port, "localhost")
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
