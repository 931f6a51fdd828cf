"""The client leaves before the answer is there: stop the work that nobody waits for.

Run it:  python3 learn.py run 05/cancellation
"""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable

import tornado.web
from tornado.options import define, options, parse_command_line


async def report() -> str:
    """Stand for work that is long, and useless to anybody else."""
    await asyncio.sleep(5)
    return "The report"


class ReportHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        self.settings["events"].append("begun")
        self.task = asyncio.ensure_future(self.settings["report"]())
        try:
            self.write(f"{await self.task}\n")
        except asyncio.CancelledError:  # raised where the work awaits: it can clean up, then here
            self.settings["events"].append("cancelled")
        else:
            self.settings["events"].append("finished")

    def on_connection_close(self) -> None:
        # Tornado tells that the client has gone, and lets the handler go on: it may want to.
        self.task.cancel()


class EventsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"events": self.settings["events"]})


def make_app(report: Callable[[], Awaitable[str]] = report) -> tornado.web.Application:
    """GET /report takes long; GET / tells what became of each."""
    routes = [(r"/", EventsHandler), (r"/report", ReportHandler)]
    return tornado.web.Application(routes, report=report, events=[])


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
