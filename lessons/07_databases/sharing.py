"""One connection for all requests, or one for each: Ada's card is refused while Bob books.

Run it:  python3 learn.py run 07/sharing
"""

import asyncio
import contextlib
import tempfile
from contextlib import closing

import tornado.web
from store.torndb3 import Connection
from tornado.options import define, options, parse_command_line

BOOK = "INSERT INTO bookings (name) VALUES (%s)"


async def two_bookings(adas: Connection, bobs: Connection) -> list[str]:
    """Book for both at the same time; return the names in the table at the end."""
    run = asyncio.to_thread  # no query on the event loop
    await run(adas.execute, "BEGIN")
    await run(adas.execute, BOOK, "Ada")
    bob = asyncio.create_task(run(bobs.execute, BOOK, "Bob"))  # another request
    await asyncio.wait({bob}, timeout=1)  # meanwhile the bank checks Ada's card ...
    await run(adas.execute, "ROLLBACK")  # ... and refuses it
    await bob  # no error: his request was answered with success
    return [row.name for row in await run(bobs.query, "SELECT name FROM bookings")]


class BookHandler(tornado.web.RequestHandler):
    def initialize(self, url: str) -> None:
        self.url = url

    def new_table(self, db: Connection) -> None:
        db.execute("DROP TABLE IF EXISTS bookings")
        db.execute("CREATE TABLE bookings (name VARCHAR(20))")


class SharedHandler(BookHandler):
    async def get(self) -> None:
        with closing(Connection(self.url)) as db:
            self.new_table(db)
            self.write({"in the book": await two_bookings(db, db)})


class OwnHandler(BookHandler):
    async def get(self) -> None:
        with closing(Connection(self.url)) as adas, closing(Connection(self.url)) as bobs:
            self.new_table(adas)
            self.write({"in the book": await two_bookings(adas, bobs)})


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("See <a href=/shared>/shared</a> and <a href=/own>/own</a>.")


def make_app(url: str) -> tornado.web.Application:
    """/shared: both requests use one connection; /own: each has its own."""
    route = {"url": url}
    return tornado.web.Application(
        [(r"/", HomeHandler), (r"/shared", SharedHandler, route), (r"/own", OwnHandler, route)]
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    with tempfile.TemporaryDirectory() as folder:
        make_app(f"sqlite:///{folder}/bookings.db").listen(options.port, "localhost")
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
