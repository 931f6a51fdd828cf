# One row that is changed.
"""Run the steps that a database has not run yet, each of them once."""

import asyncio
import contextlib
import sqlite3

import tornado.web
from tornado.options import define, options, parse_command_line

STEPS = [
    "CREATE TABLE houses (id INTEGER PRIMARY KEY, title TEXT)",
    "ALTER TABLE houses ADD COLUMN price INTEGER NOT NULL DEFAULT 0",
]


def migrate(db: sqlite3.Connection, steps: list[str]) -> int:
    with db:
        db.execute("CREATE TABLE IF NOT EXISTS version (number INTEGER)")
        if not db.execute("SELECT * FROM version").fetchall():
            db.execute("INSERT INTO version VALUES (0)")
    [begin] = db.execute("SELECT number FROM version").fetchone()
    number = begin
    for number in range(begin + 1, len(steps) + 1):
        db.execute(steps[number - 1])
        db.execute("UPDATE version SET number = ?", (number,))
        db.commit()
    return number - begin


class VersionHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"migrations that ran": self.settings["ran"]})


def make_app(path: str = ":memory:") -> tornado.web.Application:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return tornado.web.Application([(r"/", VersionHandler)], ran=migrate(db, STEPS))


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
