"""Houses for rent, in a database: MariaDB or MySQL, or a SQLite file when no server is named.

Run it:  python3 learn.py run 07
         python3 learn.py run 07 --database=mysql+pymysql://user:password@localhost/houses
"""

import asyncio
import contextlib
import tempfile
from pathlib import Path

import pymysql
import tornado.web
from store.missing import give_up
from store.torndb3 import Connection, Pool
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
TABLE = """
CREATE TABLE IF NOT EXISTS houses (
    id INTEGER PRIMARY KEY AUTO_INCREMENT,
    title VARCHAR(100) NOT NULL,
    position VARCHAR(100) NOT NULL,
    price INTEGER NOT NULL,
    score INTEGER NOT NULL DEFAULT 0,
    comments INTEGER NOT NULL DEFAULT 0
)"""
HOUSES = [
    ("Lamp room of a lighthouse", "Kittiwake Point", 140, 5, 128),
    ("Windmill with its own flour", "Barley Hill", 95, 4, 61),
    ("Treehouse in an old oak", "Owl Wood", 60, 5, 210),
]


def prepare(db: Connection, dialect: str) -> None:
    """Make the table, and fill it if it is new."""
    # SQLite counts an INTEGER PRIMARY KEY up by itself.
    db.execute(TABLE.replace(" AUTO_INCREMENT", "") if dialect == "sqlite" else TABLE)
    if db.get("SELECT id FROM houses LIMIT 1") is None:
        for house in HOUSES:
            db.execute(
                "INSERT INTO houses (title, position, price, score, comments)"
                " VALUES (%s, %s, %s, %s, %s)",
                *house,
            )


class DatabaseHandler(tornado.web.RequestHandler):
    @property
    def db(self) -> Pool:
        return self.settings["db"]  # main() makes it, before the application


class HousesHandler(DatabaseHandler):
    async def get(self) -> None:
        word = self.get_query_argument("q", "")
        houses = await self.db.query(
            "SELECT * FROM houses WHERE title LIKE %s ORDER BY id LIMIT 50", f"%{word}%"
        )
        self.render("houses.html", houses=houses, word=word)

    async def post(self) -> None:
        price = self.get_body_argument("price")
        if not (price.isascii() and price.isdigit() and len(price) < 8):
            raise tornado.web.HTTPError(400, reason="The price is a whole number")
        number = await self.db.execute(
            "INSERT INTO houses (title, position, price)"
            " VALUES (%(title)s, %(position)s, %(price)s)",
            title=self.get_body_argument("title")[:100],
            position=self.get_body_argument("position")[:100],
            price=int(price),
        )
        self.redirect(self.reverse_url("house", number), status=303)


class HouseHandler(DatabaseHandler):
    async def get(self, number: str) -> None:
        house = await self.db.get("SELECT * FROM houses WHERE id = %s", int(number))
        if house is None:
            raise tornado.web.HTTPError(404, reason="No such house")
        self.render("house.html", house=house)


def make_app(db: Pool) -> tornado.web.Application:
    """/ lists the houses, ?q= searches, POST adds one, /house/ID shows one."""
    return tornado.web.Application(
        [(r"/", HousesHandler), (r"/house/(\d{1,9})", HouseHandler, {}, "house")],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        cross_origin_protection=True,  # pages of other sites cannot send the form (lesson 04)
        db=db,
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("database", default="", help="mysql+pymysql://user:password@host/name, sqlite:///file")
    parse_command_line()
    with tempfile.TemporaryDirectory() as folder:  # for the houses without --database
        url = options.database or f"sqlite:///{folder}/houses.db"
        with contextlib.closing(Pool(url)) as db:
            try:
                await db.run(lambda connection: prepare(connection, url.partition(":")[0]))
            except pymysql.err.OperationalError as error:
                give_up(url, "--database=mysql+pymysql://user:password@host/name", error)
            make_app(db).listen(options.port, "localhost")
            print(f"Open http://localhost:{options.port}")
            await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
