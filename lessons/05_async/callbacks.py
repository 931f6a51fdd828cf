"""The second way: let a thread wait, and be called back. The story falls into two methods.

Run it:  python3 learn.py run 05/callbacks
"""

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Callable

import tornado.web
from tornado.ioloop import IOLoop
from tornado.options import define, options, parse_command_line


def ask() -> str:
    """Stand for anything that takes its time: a query, a file, another service."""
    time.sleep(0.5)
    return "42"


def in_thread(
    work: Callable[[], str],
    on_result: Callable[[str], None],
    on_error: Callable[[Exception], None],
) -> None:
    """Start work in a thread of its own; the loop calls one of the two when it is done."""
    loop = IOLoop.current()

    def run() -> None:
        # add_callback is the one method of the loop, or of a handler, that a thread may call.
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
    """GET /slow takes its time, GET / tells what happened since you last asked."""
    routes = [(r"/", EventsHandler), (r"/slow", SlowHandler)]
    return tornado.web.Application(routes, ask=ask, events=[])


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
