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
    """Bring the database up to date; return how many steps have run just now."""
    db.execute("CREATE TABLE IF NOT EXISTS schema_version (step INTEGER PRIMARY KEY)")
    ran = 0
    while True:
        with db:  # commits, or rolls back
            db.execute("BEGIN IMMEDIATE")  # another process waits here, and counts after it
            done = db.execute("SELECT count(*) FROM schema_version").fetchone()[0]
            if done >= len(steps):
                return ran
            db.execute(steps[done])
            db.execute("INSERT INTO schema_version VALUES (?)", [done + 1])
        ran += 1


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
