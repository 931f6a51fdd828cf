# Keys with a prefix, which are gone after a day.
"""Notes by name in Redis: POST keeps the body, GET gives it back."""

import asyncio
import contextlib
from typing import Any

import redis.asyncio
import tornado.web
from tornado.options import define, options, parse_command_line


class NoteHandler(tornado.web.RequestHandler):
    def initialize(self, store: Any) -> None:
        self.store = store  # await store.get(key), await store.set(key, value)

    async def get(self, name):
        if (note := await self.store.get(f"note:{name}")) is None:
            self.send_error(404)
        else:
            self.set_header("Content-Type", "application/octet-stream")
            self.finish(note)

    async def post(self, name):
        await self.store.set(f"note:{name}", self.request.body, ex=24 * 60 * 60)
        self.set_status(204)
        self.finish()


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
