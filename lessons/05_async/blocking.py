"""Slow work that blocks: the server handles one request after the other.

Run it:  python3 learn.py run 05/blocking
"""

import asyncio
import contextlib
import time
from collections.abc import Callable

import tornado.web
from tornado.options import define, options, parse_command_line


def ask() -> str:
    """Stand for slow work: a query, a file, another service."""
    time.sleep(0.5)
    return "42"


class SlowHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.settings["events"].append("asked")
        answer = self.settings["ask"]()
        self.settings["events"].append("answered")
        self.write(f"{answer}\n")


class EventsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"events": self.settings["events"]})
        self.settings["events"].clear()


def make_app(ask: Callable[[], str] = ask) -> tornado.web.Application:
    """GET /slow takes half a second; GET / returns what has happened since the last GET /."""
    routes = [(r"/", EventsHandler), (r"/slow", SlowHandler)]
    return tornado.web.Application(routes, ask=ask, events=[])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
