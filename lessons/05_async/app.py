"""A handler that blocks holds up every visitor; a handler that awaits holds up nobody.

Run it:  python3 learn.py run 05
"""

import asyncio
import contextlib
import signal
import time
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
SECONDS = 2.0


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("pulse.html", seconds=SECONDS)


class BlockingHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        time.sleep(SECONDS)  # nobody else is served until this returns
        self.write("slept\n")


class AwaitingHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(SECONDS)  # the loop serves others, and comes back here
        self.write("waited\n")


class PingHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.write("pong\n")


def make_app() -> tornado.web.Application:
    """/ shows the server's pulse: it asks for /ping again and again, and draws the answers."""
    return tornado.web.Application(
        [
            (r"/", PageHandler),
            (r"/blocking", BlockingHandler),
            (r"/awaiting", AwaitingHandler),
            (r"/ping", PingHandler),
        ],
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


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
