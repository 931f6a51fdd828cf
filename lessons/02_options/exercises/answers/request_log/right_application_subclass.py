# A subclass of Application overrides log_request.
"""Write your own line for each request, and none for the visits of a monitor."""

import asyncio
import contextlib

import tornado.web
from tornado.log import access_log
from tornado.options import define, options, parse_command_line


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Here I am\n")


def log_request(handler: tornado.web.RequestHandler) -> None:
    if handler.request.path != "/health":
        status = handler.get_status()
        write = access_log.warning if status >= 400 else access_log.info
        write("%s %s %s", handler.request.method, handler.request.uri, status)


class App(tornado.web.Application):
    def log_request(self, handler):
        log_request(handler)


def make_app() -> tornado.web.Application:
    return App([(r"/(?:health|light)?", PageHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
