# check_origin() names only the partner: Tornado 6.6 lets the pages of this server in before it asks.
"""Accept your own pages and one partner, not every page on the web."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

PARTNER = "https://partner.example"


class NewsHandler(tornado.websocket.WebSocketHandler):
    def check_origin(self, origin: str) -> bool:
        return origin == PARTNER

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
