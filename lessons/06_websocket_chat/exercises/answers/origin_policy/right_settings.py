# The setting in a dict, and a subclass.
"""Accept your own pages and one partner, not every page on the web."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

PARTNER = "https://partner.example"


class NewsHandler(tornado.websocket.WebSocketHandler):
    def open(self) -> None:
        self.write_message("news for you")


class OurNewsHandler(NewsHandler):
    def set_default_headers(self):
        self.set_header("X-Content-Type-Options", "nosniff")


def make_app() -> tornado.web.Application:
    settings = {"trusted_origins": [PARTNER, "https://partner.example:443"]}
    return tornado.web.Application(handlers=[("/news", OurNewsHandler)], **settings)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
