"""Connections of several processes: each has its own pool, and the database counts them all.

Run it:  python3 learn.py run 07/pool_size
"""

import asyncio
import contextlib
import threading
import time

import tornado.web
from store.torndb3 import Connection, Pool
from tornado.options import define, options, parse_command_line

PROCESSES = 3  # each pool stands for one process of a server
QUERIES = 30  # that arrive at the same time, in all
TAKES = 0.02  # seconds of a query


class Counter:
    """Count the queries that run at the same moment: each of them uses one connection."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = 0

    def query(self, db: Connection) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(TAKES)  # stands for the work of the database
        with self.lock:
            self.now -= 1


async def load(size: int) -> dict[str, float]:
    """Send all queries through one pool of this size for each process."""
    counter, begun = Counter(), time.perf_counter()
    with contextlib.ExitStack() as stack:
        pools = [
            stack.enter_context(contextlib.closing(Pool("sqlite:///:memory:", size)))
            for _ in range(PROCESSES)
        ]
        runs = (pools[number % PROCESSES].run(counter.query) for number in range(QUERIES))
        await asyncio.gather(*runs)
    seconds = round(time.perf_counter() - begun, 2)
    return {"processes": PROCESSES, "size": size, "connections": counter.most, "seconds": seconds}


class LoadHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        size = self.get_query_argument("size", "4")
        if size not in ("1", "2", "4", "8"):
            raise tornado.web.HTTPError(400, reason="The size is 1, 2, 4 or 8")
        self.write(await load(int(size)))


def make_app() -> tornado.web.Application:
    """/?size= is the size of each pool."""
    return tornado.web.Application([(r"/", LoadHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
