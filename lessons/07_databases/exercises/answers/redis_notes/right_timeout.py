# Each question has a limit of two seconds, and the older coroutine style.
"""Notes by name in Redis: POST keeps the body, GET gives it back."""

import asyncio
import contextlib
from typing import Any

import redis.asyncio
import tornado.gen
import tornado.web
from tornado.options import define, options, parse_command_line


class NoteHandler(tornado.web.RequestHandler):
    def initialize(self, store: Any) -> None:
        self.store = store  # await store.get(key), await store.set(key, value)

    @tornado.gen.coroutine
    def get(self, name):
        note = yield asyncio.wait_for(self.store.get("n:" + name), 2)
        if note is None:
            raise tornado.web.HTTPError(404)
        self.write(note)

    @tornado.gen.coroutine
    def post(self, name):
        yield asyncio.wait_for(self.store.set("n:" + name, self.request.body), 2)
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
