"""The client closes the connection before the answer is ready: stop the work for it.

Run it:  python3 learn.py run 05/cancellation
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine

import tornado.web
from tornado.options import define, options, parse_command_line


async def report() -> str:
    """Stand for long work that is useless without its client."""
    await asyncio.sleep(5)
    return "The report"


class ReportHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        self.settings["events"].append("begun")
        self.task = asyncio.create_task(self.settings["report"]())
        try:
            self.write(f"{await self.task}\n")
        except asyncio.CancelledError:  # first raised at the await in the work, then here
            self.settings["events"].append("cancelled")
        else:
            self.settings["events"].append("finished")

    def on_connection_close(self) -> None:
        # Tornado reports that the client has gone. It does not stop the handler.
        self.task.cancel()


class EventsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"events": self.settings["events"]})


def make_app(report: Callable[[], Coroutine[None, None, str]] = report) -> tornado.web.Application:
    """GET /report takes five seconds; GET / shows what happened to each report."""
    routes = [(r"/", EventsHandler), (r"/report", ReportHandler)]
    return tornado.web.Application(routes, report=report, events=[])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
