# A room that make_app() passes to initialize(), and a page in HTML.
"""The chat of an old tutorial, which no longer works: make it work with today's Tornado."""

import asyncio
import contextlib

import tornado.escape
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class PageHandler(tornado.web.RequestHandler):
    def get(self):
        name = self.get_argument("name")
        self.set_signed_cookie("name", name, httponly=True)
        self.write("<p>Hello " + tornado.escape.xhtml_escape(name) + "</p>")


class ChatHandler(tornado.websocket.WebSocketHandler):
    def initialize(self, room):
        self.room = room

    def get_current_user(self):
        name = self.get_signed_cookie("name")
        return name.decode() if name else None

    def prepare(self):
        if not self.current_user:
            raise tornado.web.HTTPError(401)

    def open(self):
        self.room.append(self)

    def on_message(self, message):
        for member in list(self.room):
            try:
                member.write_message(dict(name=self.current_user, text=message))
            except tornado.websocket.WebSocketClosedError:
                pass

    def on_close(self):
        self.room.remove(self)


def make_app() -> tornado.web.Application:
    routes = [("/", PageHandler), ("/chat", ChatHandler, {"room": []})]
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
