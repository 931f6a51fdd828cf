"""Two instances of one application, and the part of nginx.conf that spreads requests over both."""

import asyncio
import contextlib
import signal

import tornado.web
from tornado.options import define, options, parse_command_line

# TODO: FRONT is nginx's port, APP_1 and APP_2 are those of the instances (the check puts numbers).
NGINX = """
server {
    listen 127.0.0.1:FRONT;
    location / { return 503; }
}
"""


class PidHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("TODO")


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/pid", PidHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
