"""Work that cannot be awaited, such as hashing a password: a pool of threads does it.

Run it:  python3 learn.py run 05/executors
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import tornado.web
from tornado.concurrent import run_on_executor
from tornado.ioloop import IOLoop
from tornado.options import define, options, parse_command_line


def slow_hash(password: str) -> str:
    """Compute for a part of a second; this C code lets other threads run meanwhile."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", 1_000_000).hex()


class HashHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        self.password = self.get_query_argument("password", "secret")
        self.hash = self.settings["hash"]
        self.executor = self.settings["executor"]  # run_on_executor uses this attribute


class BlockingHandler(HashHandler):
    def get(self) -> None:
        self.write(self.hash(self.password) + "\n")


class PoolHandler(HashHandler):
    async def get(self) -> None:
        # This pool limits how many run at the same time; the others wait in a queue.
        digest = await IOLoop.current().run_in_executor(self.executor, self.hash, self.password)
        self.write(digest + "\n")  # on the event loop again: the thread does not use the handler


class ToThreadHandler(HashHandler):
    async def get(self) -> None:
        self.write(await asyncio.to_thread(self.hash, self.password) + "\n")  # Python's own pool


class DecoratedHandler(HashHandler):
    async def get(self) -> None:
        self.write(await self.digest(self.password) + "\n")

    @run_on_executor
    def digest(self, password: str) -> str:
        return self.hash(password)


class AnotherHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(0.1)
        self.write("another answer\n")


def make_app(hash: Callable[[str], str] = slow_hash) -> tornado.web.Application:
    """/blocking stops the server while it computes; the three others do not."""
    routes = [(r"/", PoolHandler), (r"/blocking", BlockingHandler)]
    routes += [(r"/to_thread", ToThreadHandler), (r"/decorated", DecoratedHandler)]
    routes += [(r"/another", AnotherHandler)]
    pool = ThreadPoolExecutor(max_workers=4)
    return tornado.web.Application(routes, hash=hash, executor=pool)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
