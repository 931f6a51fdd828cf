"""The shutdown of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.httpserver
import tornado.web
from tornado.options import define, options, parse_command_line

WORKING: set[tornado.web.RequestHandler] = set()
NONE = asyncio.Event()


class SlowHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        WORKING.add(self)
        NONE.clear()

    def on_finish(self) -> None:
        WORKING.discard(self)
        if not WORKING:
            NONE.set()

    async def get(self) -> None:
        await self.settings["work"]()
        self.write("done")


async def stop(server: tornado.httpserver.HTTPServer, seconds: float) -> None:
    """End: accept nothing new, wait for requests in progress, at most this many seconds."""
    server.stop()
    if WORKING:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(NONE.wait(), seconds)
    await server.close_all_connections()


def make_app() -> tornado.web.Application:
    return tornado.web.Application([("/", SlowHandler)], work=lambda: asyncio.sleep(0.1))


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
