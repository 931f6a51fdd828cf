"""An emoji needs four bytes in UTF-8: utf8mb4 of MariaDB and MySQL stores it, utf8mb3 does not.

Run it:  python3 learn.py run 07/emoji
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


def store(db: Connection, charset: str, text: str) -> str:
    """Store a text in a column with this character set, and read it again."""
    db.execute(f"CREATE TEMPORARY TABLE notes (text VARCHAR(100) CHARACTER SET {charset})")
    try:
        db.execute("INSERT INTO notes VALUES (%s)", text)
        row = db.get("SELECT text FROM notes")
        assert row is not None
        return row.text
    finally:
        db.execute("DROP TEMPORARY TABLE notes")


class NoteHandler(tornado.web.RequestHandler):
    async def get(self, charset: str) -> None:
        text = self.get_query_argument("text", "\N{OCTOPUS}")
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        try:
            stored = await self.settings["db"].run(lambda db: store(db, charset, text))
            self.write(f"stored: {stored}\n")
        except pymysql.err.DataError as error:  # shown here; for visitors, keep it in the log
            self.write(f"{type(error).__name__}: {error}\n")


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Open /utf8mb4 or /utf8mb3")


def make_app(db: Pool) -> tornado.web.Application:
    """/utf8mb4 and /utf8mb3 store ?text= in a column with that character set."""
    routes = [(r"/", HomeHandler), (r"/(utf8mb4|utf8mb3)", NoteHandler)]
    return tornado.web.Application(routes, db=db)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("database", default=os.environ.get("MARIADB_URL", HERE), help="where the server is")
    parse_command_line()
    with contextlib.closing(Pool(options.database)) as db:
        try:
            await db.query("SELECT 1")
        except pymysql.err.OperationalError as error:
            give_up(options.database, "--database=mysql+pymysql://user:password@host/name", error)
        make_app(db).listen(options.port, "localhost")
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
