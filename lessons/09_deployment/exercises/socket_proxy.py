"""The location of a chat in nginx.conf, as many tutorials have it: no WebSocket gets through."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

# The check replaces FRONT by the port of nginx, APP_1 by that of the application.
# TODO: let the handshake of a WebSocket through.
NGINX = """
server {
    listen 127.0.0.1:FRONT;
    location /chat { proxy_pass http://127.0.0.1:APP_1; proxy_http_version 1.1; }
}
"""


class ChatHandler(tornado.websocket.WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.write_message(message)


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/chat", ChatHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
