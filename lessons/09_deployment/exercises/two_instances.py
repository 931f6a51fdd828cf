"""Two processes of one application, and the part of nginx.conf that spreads requests over both."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line

# The check replaces FRONT by the port of nginx, APP_1 and APP_2 by those of the two processes.
# TODO 1: pass the requests on to both processes.
NGINX = """
server {
    listen 127.0.0.1:FRONT;
    location / { return 503; }
}
"""


class PidHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("TODO 2: the id of the process")


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
