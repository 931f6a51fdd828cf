"""Notes by name in Redis: POST stores the body, GET returns it."""

import asyncio
import contextlib
from typing import Any

import redis.asyncio
import tornado.web
from tornado.options import define, options, parse_command_line


class NoteHandler(tornado.web.RequestHandler):
    def initialize(self, store: Any) -> None:
        self.store = store  # await store.get(key), await store.set(key, value)

    # TODO 1: GET writes the bytes that are stored for this name; if there are none, 404.
    # TODO 2: POST stores the body of the request, unchanged, and answers 204.
    async def get(self, name: str) -> None:
        self.write(f"The note {name}")


def make_app(store: Any = None) -> tornado.web.Application:
    store = store or redis.asyncio.from_url("redis://localhost:6379/0")
    return tornado.web.Application([(r"/note/(\w+)", NoteHandler, {"store": store})])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
