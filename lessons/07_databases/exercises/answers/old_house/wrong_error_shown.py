# Still shows the error.
# Told: /house/13
# Told: names of your tables
"""The page of a house in an old tutorial: make it work with a database that is awaited."""

import asyncio
import contextlib
import sqlite3

import tornado.web
from tornado.options import define, options, parse_command_line


class HouseHandler(tornado.web.RequestHandler):
    async def get(self, number: str) -> None:
        try:
            house = await self.settings["db"].get("SELECT title FROM houses WHERE id = %s", number)
        except Exception as e:
            self.set_status(500)
            self.write("DB error:%s" % e)
            return
        if house is None:
            raise tornado.web.HTTPError(404)
        self.write({"houses": [house]})


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
