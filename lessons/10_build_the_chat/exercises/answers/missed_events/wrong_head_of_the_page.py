# Head of the page.
# Told: newest seq of all
"""Load what was missed, page by page."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line

PAGE = 3  # events of one answer


class EventsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        after = self.get_query_argument("after")
        if not (after.isascii() and after.isdigit()):
            raise tornado.web.HTTPError(400)
        events = self.settings["events"]
        missed = [event for event in events if event["seq"] > int(after)]
        self.write({"events": missed[:PAGE], "head": missed[:PAGE][-1]["seq"] if missed else 0})


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
