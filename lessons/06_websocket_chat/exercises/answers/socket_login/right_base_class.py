# A base class for pages and sockets, send_error() and to_unicode().
"""A socket for those who are logged in: the name comes from the signed cookie."""

import asyncio
import contextlib
import secrets

import tornado.escape
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

SECRET = secrets.token_hex(32)  # made anew at each start


class SocketHandler(tornado.websocket.WebSocketHandler):
    pass


class MembersSocket(SocketHandler):
    def get_current_user(self):
        return tornado.escape.to_unicode(self.get_signed_cookie("user"))

    def prepare(self):
        if not self.current_user:
            self.send_error(401)

    def on_message(self, message):
        self.write_message(dict([("from", self.current_user), ("text", message)]))


def make_app(cookie_secret: str = SECRET) -> tornado.web.Application:
    return tornado.web.Application([("/socket", MembersSocket)], cookie_secret=cookie_secret)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
