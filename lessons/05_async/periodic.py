"""Work that is done again and again: a callback that the event loop calls regularly.

Run it:  python3 learn.py run 05/periodic
"""

import asyncio
import contextlib
from datetime import datetime

import tornado.web
from tornado.ioloop import PeriodicCallback
from tornado.options import define, options, parse_command_line


class Clock:
    """Holds what the pages show, so that no request has to wait for it."""

    def __init__(self) -> None:
        self.time = ""
        self.ticks = 0

    async def tick(self) -> None:
        # It may await. It is not called again before it has returned. Its exceptions are logged.
        self.time = datetime.now().strftime("%H:%M:%S")
        self.ticks += 1


class ClockHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        clock: Clock = self.settings["clock"]
        self.write(f"{clock.time}, ticks: {clock.ticks}\n")


def make_app(clock: Clock) -> tornado.web.Application:
    """One page that shows the time of the last tick."""
    return tornado.web.Application([(r"/", ClockHandler)], clock=clock)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("interval", default=1000, help="milliseconds between two ticks")
    parse_command_line()
    clock = Clock()
    await clock.tick()  # the first call of PeriodicCallback comes after one interval
    ticking = PeriodicCallback(clock.tick, options.interval)
    ticking.start()
    make_app(clock).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    try:
        await asyncio.Event().wait()
    finally:
        ticking.stop()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
