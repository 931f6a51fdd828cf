# A future for each request; asyncio.wait() has a limit.
"""The shutdown of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.httpserver
import tornado.web
from tornado.options import define, options, parse_command_line

REQUESTS = set()


class SlowHandler(tornado.web.RequestHandler):
    def prepare(self):
        self.answered = asyncio.get_running_loop().create_future()
        REQUESTS.add(self.answered)
        self.answered.add_done_callback(REQUESTS.discard)

    async def get(self):
        await self.settings["work"]()
        self.write("done")

    def on_finish(self):
        self.answered.set_result(None)


async def stop(server, seconds):
    server.stop()
    if REQUESTS:
        await asyncio.wait(REQUESTS.copy(), timeout=seconds)


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
