"""Load the history in pages."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line

PAGE = 3  # events of one answer


class EventsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        events = self.settings["events"]
        if before := self.get_query_argument("before", ""):
            events = [event for event in events if event["seq"] < int(before)]
        newest = list(reversed(events))[:PAGE]
        self.write({"events": newest[::-1]})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/events", EventsHandler)], events=[])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
