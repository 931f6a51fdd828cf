"""Two processes behind one address: nginx sends each of them a request in turn."""

import asyncio
import contextlib
import os

import tornado.web
from tornado.options import define, options, parse_command_line

NGINX = """
upstream app {
    server 127.0.0.1:APP_1 max_fails=0;
    server 127.0.0.1:APP_2 max_fails=0;
}
server {
    listen 127.0.0.1:FRONT;
    location / { proxy_pass http://app; }
}
"""


class PidHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(str(os.getpid()))


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/pid", PidHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
