"""The shutdown of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.httpserver
import tornado.web
from tornado.ioloop import IOLoop
from tornado.options import define, options, parse_command_line


class SlowHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        await self.settings["work"]()
        self.write("done")


async def stop(server: tornado.httpserver.HTTPServer, seconds: float) -> None:
    # TODO: make it work: accept nothing new, wait for the requests in progress, but not too long.
    server.stop()
    loop = IOLoop.instance()
    deadline = loop.time() + seconds

    def wait() -> None:
        busy = loop.time() < deadline and (loop._callbacks or loop._timeouts)
        loop.add_timeout(loop.time() + 1, wait) if busy else loop.stop()

    wait()


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
