"""Fix a handler that blocks the server: while GET /nap waits, GET / must be answered."""

import asyncio
import contextlib
import time

import tornado.web
from tornado.options import define, options, parse_command_line


class NapHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.settings["events"].append("nap begins")
        time.sleep(0.5)  # TODO: wait as long, but do not block the event loop.
        self.settings["events"].append("nap ends")
        self.write("Good morning\n")


class EventsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"events": self.settings["events"]})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/", EventsHandler), (r"/nap", NapHandler)], events=[])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
