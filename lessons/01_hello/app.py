"""The smallest Tornado application: one handler, one route, one port.

Run it:  python3 learn.py run 01
"""

import asyncio
import contextlib
import signal

import tornado.web
from tornado.options import define, options, parse_command_line


class HelloHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Hello, world\n")


def make_app() -> tornado.web.Application:
    """Return the route table; a test or a notebook calls this too, without starting a server."""
    return tornado.web.Application([(r"/", HelloHandler)])


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
