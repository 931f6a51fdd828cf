# The number of the parent process.
# Told: answers
# Told: PidHandler: write str(os.getpid()), the number of the process, and nothing
"""Two processes of one application, and the part of nginx.conf that spreads requests over both."""

import asyncio
import contextlib
import os

import tornado.web
from tornado.options import define, options, parse_command_line

# TODO: FRONT is the port of nginx; APP_1, APP_2 are those of the processes. The check sets them.
NGINX = """
upstream app {
    server 127.0.0.1:APP_1;
    server 127.0.0.1:APP_2;
}
server {
    listen 127.0.0.1:FRONT;
    location / { proxy_pass http://app; }
}
"""


class PidHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(str(os.getppid()))


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
