# prepare() sets the status and finishes; a stricter age.
"""A socket for those who are logged in: the name comes from the signed cookie."""

import asyncio
import contextlib
import secrets

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

SECRET = secrets.token_hex(32)  # made anew at each start


class SocketHandler(tornado.websocket.WebSocketHandler):
    async def prepare(self):
        self.user = self.get_signed_cookie("user", max_age_days=1, min_version=2)
        if self.user is None:
            self.set_status(401, "Who are you?")
            self.set_header("WWW-Authenticate", 'Cookie realm="chat"')
            self.finish()

    async def on_message(self, message):
        text = message if isinstance(message, str) else message.decode("utf-8", "replace")
        await self.write_message({"from": self.user.decode(), "text": text})


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
