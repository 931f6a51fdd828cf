# All applications share the set of the class.
# Told: another application
# Told: elsewhere
# Told: one room for all applications
"""The chat of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_signed_cookie("name", self.get_query_argument("name"))
        self.write("The chat is a WebSocket at /chat.")


class ChatHandler(tornado.websocket.WebSocketHandler):
    users = set()

    def open(self) -> None:
        self.name = (self.get_signed_cookie("name") or b"guest").decode()
        self.users.add(self)

    def on_message(self, message: str | bytes) -> None:
        for user in self.users.copy():
            with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                user.write_message({"name": self.name, "text": message})

    def on_close(self) -> None:
        self.users.discard(self)


def make_app() -> tornado.web.Application:
    settings = {"cookie_secret": "MjAxMSBhbmQgb2xkZXI=", "users": set()}
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
