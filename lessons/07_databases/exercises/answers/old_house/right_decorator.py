# The decorator of older Tornados.
"""The page of a house in an old tutorial: make it work with a database that is awaited."""

import asyncio
import contextlib
import sqlite3

import tornado.web
from tornado import gen
from tornado.options import define, options, parse_command_line


class HouseHandler(tornado.web.RequestHandler):
    @gen.coroutine
    def get(self, number):
        ret = yield self.settings["db"].get("SELECT title FROM houses WHERE id = %s", number)
        if ret is None:
            self.set_status(404)
            return
        self.write(dict(houses=[ret]))


class Database:
    async def get(self, sql: str, *values: object) -> dict[str, str] | None:
        with contextlib.closing(sqlite3.connect(":memory:")) as db:
            db.execute("CREATE TABLE houses AS SELECT 4 AS id, 'Windmill' AS title")
            row = db.execute(sql.replace("%s", "?"), values).fetchone()
            return {"title": row[0]} if row else None


def make_app(db: Database | None = None) -> tornado.web.Application:
    return tornado.web.Application([(r"/house/(.+)", HouseHandler)], db=db or Database())


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
