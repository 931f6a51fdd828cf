# The set is an attribute of the application; and JSON by hand.
"""The chat of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


import json


class PageHandler(tornado.web.RequestHandler):
    async def get(self):
        self.set_signed_cookie("name", self.get_argument("name"), expires_days=1)


class ChatHandler(tornado.websocket.WebSocketHandler):
    def open(self):
        self.application.users.add(self)

    def on_message(self, message):
        event = json.dumps({"name": str(self.get_signed_cookie("name"), "utf-8"), "text": message})
        for user in self.application.users.copy():
            if user.ws_connection:
                user.write_message(event)

    def on_close(self):
        self.application.users.discard(self)


class Chat(tornado.web.Application):
    def __init__(self):
        self.users = set()
        super().__init__(
            [("/", PageHandler), ("/chat", ChatHandler)], cookie_secret="MjAxMSBhbmQgb2xkZXI="
        )


def make_app() -> tornado.web.Application:
    return Chat()


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
