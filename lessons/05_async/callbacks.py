"""Slow work with a callback: a thread waits, and the handler needs two methods for one request.

Run it:  python3 learn.py run 05/callbacks
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable

import tornado.web
from tornado.ioloop import IOLoop
from tornado.options import define, options, parse_command_line


def ask() -> str:
    """Stand for slow work: a query, a file, another service."""
    time.sleep(0.5)
    return "42"


def in_thread(
    work: Callable[[], str],
    on_result: Callable[[str], None],
    on_error: Callable[[Exception], None],
) -> None:
    """Run work in a thread of its own; the event loop calls on_result or on_error at the end."""
    loop = IOLoop.current()

    def run() -> None:
        # A thread may call only this method of the event loop, and no method of a handler.
        try:
            loop.add_callback(on_result, work())
        except Exception as error:
            loop.add_callback(on_error, error)

    threading.Thread(target=run, daemon=True).start()


class SlowHandler(tornado.web.RequestHandler):
    def get(self) -> asyncio.Future[None]:
        self.settings["events"].append("asked")
        self.done: asyncio.Future[None] = asyncio.Future()
        in_thread(self.settings["ask"], self.on_answer, self.done.set_exception)
        return self.done  # Tornado keeps the request open until this has a result

    def on_answer(self, answer: str) -> None:
        self.settings["events"].append("answered")
        self.write(f"{answer}\n")
        self.done.set_result(None)


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
