# get() refuses, with finish(); the name is kept on self.
"""A socket for those who are logged in: the name comes from the signed cookie."""

import asyncio
import contextlib
import json
import secrets

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

SECRET = secrets.token_hex(32)  # made anew at each start


class SocketHandler(tornado.websocket.WebSocketHandler):
    async def get(self, *args, **kwargs):
        cookie = self.get_signed_cookie("user")
        if not cookie:
            self.set_status(401)
            self.finish("Log in first\n")
            return
        self.name = cookie.decode("utf-8")
        await super().get(*args, **kwargs)

    def on_message(self, message):
        self.write_message(json.dumps({"text": message, "from": self.name}))


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
