# Upgrade is missing.
# Told: 400 Bad Request
# Told: NGINX: the handshake needs two headers, and nginx passes on neither by itsel
"""The chat's location in nginx.conf, as many tutorials have it: no browser gets a socket."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

# TODO: FRONT is the port of nginx, APP_1 that of the application. The check sets them.
NGINX = """
server {
    listen 127.0.0.1:FRONT;
    location /chat {
        proxy_pass http://127.0.0.1:APP_1;
        proxy_http_version 1.1;
        proxy_set_header Connection "upgrade";
        proxy_set_header Host $http_host;
    }
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
