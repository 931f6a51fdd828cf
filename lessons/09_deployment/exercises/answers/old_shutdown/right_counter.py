# A counter in the settings of the application, and a deadline.
"""The shutdown of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.httpserver
import tornado.web
from tornado.options import define, options, parse_command_line


class SlowHandler(tornado.web.RequestHandler):
    running = 0
    idle = None

    async def get(self):
        SlowHandler.running += 1
        try:
            await self.settings["work"]()
            await self.finish("done")
        finally:
            SlowHandler.running -= 1
            if SlowHandler.idle and not SlowHandler.running:
                SlowHandler.idle.set()


async def stop(server, seconds):
    server.stop()
    if not SlowHandler.running:
        return
    SlowHandler.idle = asyncio.Event()
    await asyncio.wait([asyncio.ensure_future(SlowHandler.idle.wait())], timeout=seconds)


def make_app():
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
