"""Write your own line for each request, and none for those of a monitoring program."""

import asyncio
import contextlib

import tornado.web
from tornado.log import access_log
from tornado.options import define, options, parse_command_line


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Here I am\n")


def log_request(handler: tornado.web.RequestHandler) -> None:
    # TODO 1: one line such as GET /light?id=1 200, and none at all for the path /health
    access_log.info("a request")


def make_app() -> tornado.web.Application:
    # TODO 2: Tornado still writes its own line: pass log_request to the application
    return tornado.web.Application([(r"/(?:health|light)?", PageHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
