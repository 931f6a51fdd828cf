# The upstream stands below the server, has another name, and the settings of a real one.
"""Two processes of one application, and the part of nginx.conf that spreads requests over both."""

import asyncio
import contextlib
import os

import tornado.web
from tornado.options import define, options, parse_command_line

# TODO: FRONT is the port of nginx; APP_1, APP_2 are those of the processes. The check sets them.
NGINX = """
server {
    listen 127.0.0.1:FRONT;
    server_name _;
    location /pid {
        proxy_pass http://processes/pid;
        proxy_set_header Host $http_host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_connect_timeout 1s;
        proxy_next_upstream error timeout http_502;
    }
}
upstream processes {
    server 127.0.0.1:APP_1 max_fails=1 fail_timeout=1s;
    server 127.0.0.1:APP_2 max_fails=1 fail_timeout=1s;
    keepalive 4;
}
"""


class PidHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(f"{os.getpid()}\n")


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
