"""A connection that the server has closed: the next query fails, unless the pool looks before.

Run it:  python3 learn.py run 07/lost_connection
Needs:   mariadb
"""

import asyncio
import contextlib
import os

import pymysql
import tornado.web
from store.missing import ACCOUNT, give_up
from store.torndb3 import Connection, Pool
from tornado.options import define, options, parse_command_line

HERE = f"mysql+pymysql://{ACCOUNT}:{ACCOUNT}@localhost/{ACCOUNT}"


def number(db: Connection) -> int:
    """Return the number by which the server knows this connection."""
    row = db.get("SELECT CONNECTION_ID() AS number")
    assert row is not None
    return row.number


def kill(url: str, number: int) -> None:
    """Close a connection from the server's side, as the server itself does after eight hours."""
    with contextlib.closing(Connection(url)) as admin:
        admin.execute(f"KILL {number:d}")


class KeptHandler(tornado.web.RequestHandler):
    def query(self) -> str:
        """Keep a connection, and use it after the server has closed it."""
        with contextlib.closing(Connection(self.settings["url"])) as db:
            kill(self.settings["url"], number(db))
            try:
                return f"connection {number(db)}\n"
            except pymysql.err.OperationalError as error:  # for visitors, keep it in the log
                return f"OperationalError: {error}\n"

    async def get(self) -> None:
        self.write(await asyncio.to_thread(self.query))


class PoolHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        pool = self.settings["pool"]
        first = await pool.run(number)
        await asyncio.to_thread(kill, self.settings["url"], first)
        second = await pool.run(number)  # the pool asks the server before it lends a connection
        self.write(f"another connection: {second != first}\n")


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Open /kept or /pool")


def make_app(url: str, pool: Pool) -> tornado.web.Application:
    """/kept and /pool query after the server has closed their connection."""
    routes = [(r"/", HomeHandler), (r"/kept", KeptHandler), (r"/pool", PoolHandler)]
    return tornado.web.Application(routes, url=url, pool=pool)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("database", default=os.environ.get("MARIADB_URL", HERE), help="where the server is")
    parse_command_line()
    with contextlib.closing(Pool(options.database, size=1)) as pool:
        try:
            await pool.run(number)
        except pymysql.err.OperationalError as error:
            give_up(options.database, "--database=mysql+pymysql://user:password@host/name", error)
        make_app(options.database, pool).listen(options.port, "localhost")
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
