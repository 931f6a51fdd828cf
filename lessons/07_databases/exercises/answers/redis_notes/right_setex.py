# setex, a key of bytes, and a body by set_status and return.
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

    def key(self, name):
        return b"notes/" + name.encode()

    async def get(self, name):
        data = await self.store.get(self.key(name))
        if data is None:
            self.set_status(404)
            return
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write(data)

    async def post(self, name):
        await self.store.setex(self.key(name), 3600, self.request.body)
        self.set_status(204)


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
