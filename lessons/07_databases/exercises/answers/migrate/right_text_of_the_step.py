# Keeps the text of each step.
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
    db.isolation_level = None
    db.execute("CREATE TABLE IF NOT EXISTS applied (number INTEGER, sql TEXT)")
    known = {number for (number,) in db.execute("SELECT number FROM applied")}
    todo = [pair for pair in enumerate(steps) if pair[0] not in known]
    for number, sql in todo:
        db.execute("BEGIN")
        try:
            db.execute(sql)
            db.execute("INSERT INTO applied VALUES (?, ?)", (number, sql))
        except sqlite3.Error:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
    return len(todo)


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
