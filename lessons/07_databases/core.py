"""SQLAlchemy Core: the same query for SQLite, MariaDB or MySQL and PostgreSQL, and a pool.

Run it:  python3 learn.py run 07/core
         python3 learn.py run 07/core --database=postgresql+psycopg://user:password@localhost/name
"""

import asyncio
import contextlib
import tempfile

import sqlalchemy as sa
import tornado.web
from store.missing import give_up
from tornado.options import define, options, parse_command_line

metadata = sa.MetaData()
houses = sa.Table(
    "core_houses",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("title", sa.String(100), nullable=False),
    sa.Column("price", sa.Integer, nullable=False),
)
HOUSES = [
    {"title": "Lighthouse", "price": 140},
    {"title": "Windmill", "price": 95},
    {"title": "Treehouse", "price": 60},
]


def prepare(engine: sa.Engine) -> None:
    """Make the table, and fill it if it is new."""
    metadata.create_all(engine)
    with engine.begin() as db:
        if not db.scalar(sa.select(sa.func.count()).select_from(houses)):
            db.execute(sa.insert(houses), HOUSES)


def cheap(most: int | None) -> sa.Select:
    query = sa.select(houses).order_by(houses.c.price)
    return query if most is None else query.where(houses.c.price <= most)


def find(engine: sa.Engine, query: sa.Select) -> list[dict]:
    with engine.connect() as db:  # a connection from the pool, returned at the end
        return [dict(row) for row in db.execute(query).mappings()]


def add(engine: sa.Engine, title: str, price: int) -> int:
    with engine.begin() as db:  # a transaction: committed at the end, rolled back by an exception
        return db.execute(sa.insert(houses).values(title=title, price=price)).inserted_primary_key[
            0
        ]


class HousesHandler(tornado.web.RequestHandler):
    def initialize(self, engine: sa.Engine) -> None:
        self.engine = engine

    async def get(self) -> None:
        query = cheap(self.whole(self.get_query_argument("most", None)))
        found = await asyncio.to_thread(find, self.engine, query)
        sql = str(query.compile(self.engine)).replace("\n", "")
        self.write({"sql": sql, "houses": found})

    async def post(self) -> None:
        price = self.whole(self.get_body_argument("price"))
        title = self.get_body_argument("title")[:100]
        self.set_status(201)
        self.write({"id": await asyncio.to_thread(add, self.engine, title, price)})

    def whole(self, text: str | None) -> int | None:
        if text is not None and not (text.isascii() and text.isdigit() and len(text) < 8):
            raise tornado.web.HTTPError(400, reason="A price is a whole number")
        return None if text is None else int(text)


def make_app(engine: sa.Engine) -> tornado.web.Application:
    """GET / returns houses and the SQL; ?most= is the highest price; POST adds a house."""
    return tornado.web.Application(
        [(r"/", HousesHandler, {"engine": engine})], cross_origin_protection=True
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("database", default="", help="an address as SQLAlchemy takes it")
    parse_command_line()
    with tempfile.TemporaryDirectory() as folder:
        # Made from its parts: in a text, a % or ? in the name of the folder would have a meaning
        url = options.database or sa.URL.create("sqlite", database=f"{folder}/houses.db")
        # pool_pre_ping: a connection that has died in the pool is replaced before it is used
        engine = sa.create_engine(url, pool_pre_ping=True)
        try:
            await asyncio.to_thread(prepare, engine)
            make_app(engine).listen(options.port, "localhost")
            print(f"Open http://localhost:{options.port}")
            await asyncio.Event().wait()
        except sa.exc.OperationalError as error:
            if engine.dialect.name == "sqlite":
                raise
            give_up(
                options.database,
                "--database=mysql+pymysql://... or postgresql+psycopg://...",
                error.orig,
            )
        finally:
            engine.dispose()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
