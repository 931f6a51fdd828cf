# The names localhost, least_conn and max_fails=0; the number is a constant of the module.
"""Two processes of one application, and the part of nginx.conf that spreads requests over both."""

import asyncio
import contextlib
import os

import tornado.web
from tornado.options import define, options, parse_command_line

# TODO: FRONT is the port of nginx; APP_1, APP_2 are those of the processes. The check sets them.
NGINX = """
# two of us
upstream app { least_conn; server localhost:APP_1 max_fails=0; server localhost:APP_2 max_fails=0; }

server {
    listen 127.0.0.1:FRONT;

    location = /pid {
        proxy_pass http://app$request_uri;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
    }
}
"""


class PidHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/plain")
        self.finish(PID)


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/pid", PidHandler)])


PID = b"%d" % os.getpid()


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
