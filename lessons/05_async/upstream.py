"""A slow service, which your handlers can ask.

Run it:  python3 learn.py run 05/upstream
For the exercises, start it beside them with --port=8889.
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line

NUMBERS = {"price": 12, "stock": 3}


class IndexHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"ask for": ["/price", "/stock", "/missing", "/slow"]})


class NumberHandler(tornado.web.RequestHandler):
    async def get(self, what: str) -> None:
        await asyncio.sleep(0.5)
        self.write({what: NUMBERS[what]})


class SlowHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(60)


def make_app() -> tornado.web.Application:
    """/price and /stock answer after half a second, /slow after a minute, other paths with 404."""
    return tornado.web.Application(
        [(r"/", IndexHandler), (r"/(price|stock)", NumberHandler), (r"/slow", SlowHandler)]
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
