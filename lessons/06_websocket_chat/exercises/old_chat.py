"""The chat of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("The chat is a WebSocket at /chat.")


class ChatHandler(tornado.websocket.WebSocketHandler):
    users = set()  # TODO: make it work.

    def open(self):
        self.set_signed_cookie("name", self.get_argument("name"))
        self.users.add(self)

    def on_message(self, message):
        for user in self.users:
            user.write_message([self.get_signed_cookie("name"), message])


def make_app() -> tornado.web.Application:
    settings = {"cookie_secret": "MjAxMSBhbmQgb2xkZXI="}
    return tornado.web.Application([("/", PageHandler), ("/chat", ChatHandler)], **settings)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
