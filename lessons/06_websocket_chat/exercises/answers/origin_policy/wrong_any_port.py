# Any page of the same host name, whatever its port.
# Told: Origin: http://127.0.0.1:1
# Told: Another port is another origin
"""Accept your own pages and one partner, not every page on the web."""

import asyncio
import contextlib
import urllib.parse

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

PARTNER = "https://partner.example"


class NewsHandler(tornado.websocket.WebSocketHandler):
    def check_origin(self, origin: str) -> bool:
        return origin == PARTNER or urllib.parse.urlsplit(origin).hostname == self.request.host_name

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
