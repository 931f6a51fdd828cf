"""A query that takes its time: asked on the loop it holds everybody up, asked in a thread nobody.

Run it:  python3 learn.py run 07/waiting
"""

import asyncio
import contextlib
import signal

import tornado.web
from store.torndb3 import Connection, Pool
from tornado.options import define, options, parse_command_line

# Counts to two million, in C that lets other threads run meanwhile, as every driver does.
SLOW = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2000000)
SELECT count(*) AS counted FROM numbers"""


def report(db: Connection) -> int:
    row = db.get(SLOW)
    assert row is not None
    return row.counted


class BlockingHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(f"{self.settings['report'](self.settings['connection'])}\n")


class PoolHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        self.write(f"{await self.settings['pool'].run(self.settings['report'])}\n")


class PingHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("pong\n")


def make_app(connection: Connection, pool: Pool, report=report) -> tornado.web.Application:
    """/ is quick, /blocking and /pool ask for the report."""
    return tornado.web.Application(
        [(r"/", PingHandler), (r"/blocking", BlockingHandler), (r"/pool", PoolHandler)],
        connection=connection,
        pool=pool,
        report=report,
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    url = "sqlite:///:memory:"
    with contextlib.closing(Connection(url)) as db, contextlib.closing(Pool(url)) as pool:
        make_app(db, pool).listen(options.port)
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
