"""Schema migrations by hand: numbered steps, and a table that says how many have run.

Run it:  python3 learn.py run 07/migrations
         python3 learn.py run 07/migrations --database=sqlite:///houses.db
"""

import asyncio
import contextlib
import tempfile

import tornado.web
from store.torndb3 import Connection
from tornado.options import define, options, parse_command_line

# Add a step at the end. Never change a step that has run somewhere.
STEPS = [
    "CREATE TABLE houses (id INTEGER PRIMARY KEY, title VARCHAR(100) NOT NULL)",
    "ALTER TABLE houses ADD COLUMN price INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX houses_by_price ON houses (price)",
]


def version(db: Connection) -> int:
    """Return how many steps have run in this database."""
    row = db.get("SELECT max(step) AS step FROM schema_version")
    return (row and row.step) or 0


def migrate(db: Connection, steps: list[str]) -> list[int]:
    """Run the steps that have not run yet; return their numbers.

    In SQLite a step and its number are one transaction, and a second process waits for the first.
    """
    db.execute("CREATE TABLE IF NOT EXISTS schema_version (step INTEGER PRIMARY KEY)")
    done = []
    while True:
        db.execute("BEGIN IMMEDIATE")  # one writer at a time; the others wait
        try:
            number = version(db) + 1  # read inside the transaction: another process may have run it
            if number <= len(steps):
                db.execute(steps[number - 1])
                db.execute("INSERT INTO schema_version VALUES (%s)", number)
        except BaseException:
            db.execute("ROLLBACK")  # neither the step nor its number
            raise
        db.execute("COMMIT")
        if number > len(steps):
            return done
        done.append(number)


class VersionHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        db = self.settings["db"]
        columns = [row.name for row in db.query("SELECT name FROM pragma_table_info('houses')")]
        self.write({"version": version(db), "columns": columns})


def make_app(db: Connection) -> tornado.web.Application:
    """/ shows the version and the columns."""
    return tornado.web.Application([(r"/", VersionHandler)], db=db)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("database", default="", help="sqlite:///file")
    parse_command_line()
    with tempfile.TemporaryDirectory() as folder:  # without --database
        url = options.database or f"sqlite:///{folder}/houses.db"
        with contextlib.closing(Connection(url)) as db:
            print("Migrations that ran:", migrate(db, STEPS))  # before the server accepts requests
            print("Migrations that ran:", migrate(db, STEPS))  # as at the next start
            make_app(db).listen(options.port, "localhost")
            print(f"Open http://localhost:{options.port}")
            await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
