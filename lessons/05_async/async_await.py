"""Slow work with await: the code looks like that of blocking.py, and it does not block.

Run it:  python3 learn.py run 05/async_await
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import tornado.web
from tornado.options import define, options, parse_command_line


async def ask() -> str:
    """Stand for slow work of a library that can be awaited."""
    await asyncio.sleep(0.5)  # no thread waits: the event loop measures the time
    return "42"


class SlowHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        self.settings["events"].append("asked")
        answer = await self.settings["ask"]()
        self.settings["events"].append("answered")
        self.write(f"{answer}\n")


class EventsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"events": self.settings["events"]})
        self.settings["events"].clear()


def make_app(ask: Callable[[], Awaitable[str]] = ask) -> tornado.web.Application:
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
