"""Record which methods of a handler run, in order, when it works, fails or is refused."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class TraceHandler(tornado.web.RequestHandler):
    # TODO 1: override the other five methods that Tornado calls, and append the name of each to the
    # steps. Tornado calls four of them for each request, and the fifth only for an error.
    # TODO 2: refuse a request without the header X-Visitor: 403, and neither get() nor post().

    def get(self) -> None:
        self.settings["steps"].append("get")

    def post(self) -> None:
        self.settings["steps"].append("post")
        raise tornado.web.HTTPError(409)


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/trace", TraceHandler)], steps=[])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
