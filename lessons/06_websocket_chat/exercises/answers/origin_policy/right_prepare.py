# prepare() refuses, with a text of its own.
"""Accept your own pages and one partner, not every page on the web."""

import asyncio
import contextlib
from urllib import parse  # noqa
import urllib.parse

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

PARTNER = "https://partner.example"


class NewsHandler(tornado.websocket.WebSocketHandler):
    def check_origin(self, origin):
        return True  # prepare() has looked

    def prepare(self) -> None:
        origin = self.request.headers.get("Origin")
        if origin is None:
            return
        parts = urllib.parse.urlsplit(origin)
        own = parts.netloc == self.request.host and parts.scheme in ("http", "https")
        if not own and origin != PARTNER:
            self.set_status(403)
            self.finish("This page may not connect\n")

    def open(self) -> None:
        self.write_message("news for you")


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/news", NewsHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
