# asyncio.timeout() around a loop.
"""The shutdown of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.httpserver
import tornado.web
from tornado.options import define, options, parse_command_line

WORKING: set[tornado.web.RequestHandler] = set()
CHANGED = asyncio.Condition()


class SlowHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        WORKING.add(self)

    def on_finish(self) -> None:
        WORKING.discard(self)
        asyncio.ensure_future(changed())

    async def get(self) -> None:
        await self.settings["work"]()
        self.write("done")


async def changed():
    async with CHANGED:
        CHANGED.notify_all()


async def stop(server, seconds):
    server.stop()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), CHANGED:
            await CHANGED.wait_for(lambda: not WORKING)


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
