"""A socket for those who are logged in: the name comes from the signed cookie."""

import asyncio
import contextlib
import secrets

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

SECRET = secrets.token_hex(32)  # a new one at each start


class SocketHandler(tornado.websocket.WebSocketHandler):
    # TODO 1: without a valid signed cookie "user" refuse the handshake with 401.
    # TODO 2: the name that goes out is the one in the cookie.
    def on_message(self, message: str | bytes) -> None:
        self.write_message({"from": self.request.remote_ip, "text": message})


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
