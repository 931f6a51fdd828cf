"""Leave a group."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class LeaveHandler(tornado.web.RequestHandler):
    def post(self, group: str) -> None:
        # TODO: 404 for a stranger, otherwise 204; the last member takes the group along.
        self.write({"group": int(group)})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/groups/(\d{1,9})/leave", LeaveHandler)], groups={})


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
