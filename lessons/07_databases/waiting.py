"""A slow query: on the event loop it delays every other request, in a thread it delays none.

Run it:  python3 learn.py run 07/waiting
"""

import asyncio
import contextlib

import tornado.web
from store.torndb3 import Connection, Pool
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line

# Counts to two million. The driver, which is written in C, lets other threads run meanwhile.
SLOW = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2000000)
SELECT count(*) AS counted FROM numbers"""


def report(db: Connection) -> int:
    row = db.get(SLOW)
    assert row is not None
    return row.counted


class BlockingHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        report, connection = self.settings["report"], self.settings["connection"]
        self.write(f"{report(connection)}\n")


class PoolHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        counted = await self.settings["pool"].run(self.settings["report"])
        self.write(f"{counted}\n")


class PingHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("pong\n")


def make_app(connection: Connection, pool: Pool, report=report) -> tornado.web.Application:
    """/ is quick; /blocking and /pool run the report."""
    return tornado.web.Application(
        [(r"/", PingHandler), (r"/blocking", BlockingHandler), (r"/pool", PoolHandler)],
        connection=connection,
        pool=pool,
        report=report,
    )


async def order(url: str, path: str, begun: asyncio.Event) -> list[str]:
    """Request the report at this path, then /; return the paths in the order of the answers."""
    client = AsyncHTTPClient()
    answered = []

    async def request(path: str) -> None:
        await client.fetch(url + path, request_timeout=60)
        answered.append(path)

    begun.clear()
    report = asyncio.create_task(request(path))
    await begun.wait()
    await asyncio.gather(report, request("/"))
    return answered


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    url = "sqlite:///:memory:"
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def noted(db: Connection) -> int:
        loop.call_soon_threadsafe(begun.set)  # the report may run in another thread
        return report(db)

    with contextlib.closing(Connection(url)) as db, contextlib.closing(Pool(url)) as pool:
        make_app(db, pool, noted).listen(options.port, "localhost")
        for path in ("/blocking", "/pool"):
            answered = await order(f"http://localhost:{options.port}", path, begun)
            print(f"requested {path}, then /: answered {', then '.join(answered)}")
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
