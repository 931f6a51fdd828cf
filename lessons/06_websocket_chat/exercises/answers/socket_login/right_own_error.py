# A subclass of HTTPError, and the name read again for each message.
"""A socket for those who are logged in: the name comes from the signed cookie."""

import asyncio
import contextlib
import secrets

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

SECRET = secrets.token_hex(32)  # made anew at each start


class SocketHandler(tornado.websocket.WebSocketHandler):
    def name(self):
        value = self.get_secure_cookie("user")
        if value is None:
            raise NotLoggedIn()
        return value.decode()

    def prepare(self):
        self.name()

    def on_message(self, message):
        self.write_message({"from": self.name(), "text": message})


class NotLoggedIn(tornado.web.HTTPError):
    def __init__(self):
        super().__init__(401, "no cookie", reason="Please log in")


def make_app(cookie_secret: str = SECRET) -> tornado.web.Application:
    return tornado.web.Application([(r"/socket", SocketHandler)], cookie_secret=cookie_secret)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
