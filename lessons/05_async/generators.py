"""Slow work with a generator: it stops at each yield, and a decorator continues it later.

Run it:  python3 learn.py run 05/generators
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Generator

import tornado.web
from tornado.ioloop import IOLoop
from tornado.options import define, options, parse_command_line


def ask() -> str:
    time.sleep(0.5)  # stands for slow work
    return "42"


def coroutine(function: Callable[..., Generator]) -> Callable[..., asyncio.Future]:
    """Return a function that may yield futures and continues with their results."""

    def start(*args: object, **kwargs: object) -> asyncio.Future:
        done: asyncio.Future = asyncio.Future()
        steps = function(*args, **kwargs)  # its code does not run before the first send()

        def step(waited: asyncio.Future | None = None) -> None:
            try:
                if waited and waited.exception():
                    future = steps.throw(waited.exception())  # raises the error at the yield
                else:
                    future = steps.send(waited and waited.result())  # runs to the next yield
            except StopIteration as end:
                done.set_result(end.value)  # the value that function returned
            except Exception as error:
                done.set_exception(error)
            else:
                future.add_done_callback(step)

        step()
        return done

    return start


class SlowHandler(tornado.web.RequestHandler):
    @coroutine
    def get(self) -> Generator:
        self.settings["events"].append("asked")
        answer = yield IOLoop.current().run_in_executor(None, self.settings["ask"])
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
