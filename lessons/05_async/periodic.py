"""Something to do again and again: a callback that the loop calls every so often.

Run it:  python3 learn.py run 05/periodic
"""

import asyncio
import contextlib
import signal
from datetime import datetime

import tornado.web
from tornado.ioloop import PeriodicCallback
from tornado.options import define, options, parse_command_line


class Clock:
    """Keeps what the pages show, so that no request has to wait for it."""

    def __init__(self) -> None:
        self.time = ""
        self.ticks = 0

    async def tick(self) -> None:
        # May await. It is not called again before it has returned; what it raises is logged.
        self.time = datetime.now().strftime("%H:%M:%S")
        self.ticks += 1


class ClockHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        clock: Clock = self.settings["clock"]
        self.write(f"{clock.time}, after {clock.ticks} ticks\n")


def make_app(clock: Clock) -> tornado.web.Application:
    """One page that shows the clock as it was at its last tick."""
    return tornado.web.Application([(r"/", ClockHandler)], clock=clock)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("interval", default=1000, help="milliseconds between two ticks")
    parse_command_line()
    clock = Clock()
    await clock.tick()  # PeriodicCallback waits for an interval first
    ticking = PeriodicCallback(clock.tick, options.interval)
    ticking.start()
    make_app(clock).listen(options.port)
    print(f"Open http://localhost:{options.port}")
    try:
        await asyncio.Event().wait()
    finally:
        ticking.stop()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
