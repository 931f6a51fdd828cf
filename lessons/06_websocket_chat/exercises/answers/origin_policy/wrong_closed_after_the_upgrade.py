# Opens the socket and closes it then.
# Told: 101 Switching Protocols
# Told: 403 Forbidden
"""Accept your own pages and one partner, not every page on the web."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

PARTNER = "https://partner.example"


class NewsHandler(tornado.websocket.WebSocketHandler):
    def check_origin(self, origin: str) -> bool:
        self.allowed = super().check_origin(origin) or origin == PARTNER
        return True

    def prepare(self) -> None:
        self.allowed = True

    def open(self) -> None:
        if self.allowed:
            self.write_message("news for you")
        else:
            self.close(1008, "not you")


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
