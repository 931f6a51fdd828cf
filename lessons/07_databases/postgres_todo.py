"""PostgreSQL with a driver that can be awaited: the event loop is free without a thread.

Run it:  python3 learn.py run 07/postgres_todo
         DATABASE_URL in the environment, or --database=..., names another server
Needs:   postgresql
"""

import asyncio
import contextlib
import os

import psycopg
import tornado.web
from psycopg.rows import DictRow, dict_row
from store.missing import give_up
from tornado.options import define, options, parse_command_line

URL = "postgresql://learn_tornado:learn_tornado@localhost/learn_tornado"
PATIENCE = 5  # seconds until a server that does not answer counts as missing
TABLE = """
CREATE TABLE IF NOT EXISTS todo (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    task text NOT NULL,
    done boolean NOT NULL DEFAULT false
)"""


async def connect(url: str) -> psycopg.AsyncConnection[DictRow]:
    return await psycopg.AsyncConnection.connect(
        url, row_factory=dict_row, connect_timeout=PATIENCE
    )


class TasksHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        # A connection for each request; it is a transaction too, committed at the end.
        async with await connect(self.settings["url"]) as db:
            tasks = await db.execute("SELECT id, task, done FROM todo ORDER BY id")
            self.write({"tasks": await tasks.fetchall()})

    async def post(self) -> None:
        task = self.get_body_argument("task")
        async with await connect(self.settings["url"]) as db:
            # RETURNING instead of lastrowid, which PostgreSQL does not have.
            added = await db.execute("INSERT INTO todo (task) VALUES (%s) RETURNING id", [task])
            row = await added.fetchone()
        self.set_status(201)
        self.write(row or {})


class DoneHandler(tornado.web.RequestHandler):
    async def post(self, number: str) -> None:
        async with await connect(self.settings["url"]) as db:
            done = await db.execute("UPDATE todo SET done = true WHERE id = %s", [int(number)])
        if done.rowcount == 0:
            raise tornado.web.HTTPError(404)
        self.set_status(204)


async def prepare(url: str) -> str:
    """Make the table; return how this server stores new passwords."""
    async with await connect(url) as db:
        await db.execute(TABLE)
        shown = await (await db.execute("SHOW password_encryption")).fetchone()
    return shown["password_encryption"] if shown else ""


def make_app(url: str) -> tornado.web.Application:
    """GET / lists the tasks, POST adds one, POST /done/ID marks it as done."""
    return tornado.web.Application(
        [(r"/", TasksHandler), (r"/done/(\d{1,9})", DoneHandler)],
        cross_origin_protection=True,
        url=url,
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("database", default=os.environ.get("DATABASE_URL", URL), help="postgresql://...")
    parse_command_line()
    try:
        print("New passwords are stored as", await prepare(options.database))
    except psycopg.OperationalError as error:
        give_up(options.database, "--database=postgresql://... or DATABASE_URL", error)
    make_app(options.database).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
