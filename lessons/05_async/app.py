"""A handler that blocks stops the whole server; a handler that awaits does not.

Run it:  python3 learn.py run 05
"""

import asyncio
import contextlib
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
        time.sleep(SECONDS)  # no other request is served until this returns
        self.write("slept\n")


class AwaitingHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(SECONDS)  # the event loop serves other requests meanwhile
        self.write("waited\n")


class PingHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.write("pong\n")


def make_app() -> tornado.web.Application:
    """/ shows a page that sends GET /ping again and again and draws how long each one takes."""
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
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
