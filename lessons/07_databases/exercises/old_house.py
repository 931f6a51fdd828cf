"""The page of a house in an old tutorial: make it work with a database that is awaited."""

import asyncio
import contextlib
import sqlite3

import tornado.web
from tornado.options import define, options, parse_command_line


class HouseHandler(tornado.web.RequestHandler):
    # TODO: self.settings["db"] is the database, and its get(sql, *values) is a coroutine.
    def get(self, number: str) -> None:
        try:
            ret = self.application.db.get("SELECT title FROM houses WHERE id = %s" % number)
        except Exception as e:
            self.write("DB error:%s" % e)
        else:
            self.write({"houses": [ret]})


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
