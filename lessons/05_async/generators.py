"""The third way: a generator that stops at each yield, and a few lines that wake it up again.

Run it:  python3 learn.py run 05/generators
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Generator

import tornado.web
from tornado.ioloop import IOLoop
from tornado.options import define, options, parse_command_line


def ask() -> str:
    time.sleep(0.5)  # stands for anything that takes its time
    return "42"


def coroutine(function: Callable[..., Generator]) -> Callable[..., asyncio.Future]:
    """Let function yield futures: it goes on, with the result, when the future has one."""

    def start(*args: object, **kwargs: object) -> asyncio.Future:
        done: asyncio.Future = asyncio.Future()
        steps = function(*args, **kwargs)  # nothing of it runs before the first send()

        def step(waited: asyncio.Future | None = None) -> None:
            try:
                if waited and waited.exception():
                    future = steps.throw(waited.exception())  # raised where the yield stands
                else:
                    future = steps.send(waited and waited.result())  # run on to the next yield
            except StopIteration as end:
                done.set_result(end.value)  # what function returned
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
