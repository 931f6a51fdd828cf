# Each call of make_app() makes a handler class with a set of its own.
"""The chat of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class PageHandler(tornado.web.RequestHandler):
    def get(self):
        self.set_secure_cookie("name", self.get_query_argument("name"))
        self.redirect("/chat-page")


def make_app() -> tornado.web.Application:
    users = set()

    class ChatHandler(tornado.websocket.WebSocketHandler):
        async def open(self):
            users.add(self)

        async def on_message(self, message):
            name = self.get_secure_cookie("name").decode("utf8")
            for user in tuple(users):
                with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                    await user.write_message({"text": message, "name": name})

        def on_close(self):
            users.discard(self)

    routes = [("/", PageHandler), ("/chat", ChatHandler)]
    return tornado.web.Application(routes, cookie_secret="MjAxMSBhbmQgb2xkZXI=")


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
