# The function is called, where it should be passed on.
# Told: missing 1 required positional argument
# Told: Pass the function itself, without ()
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
    request = handler.request
    if request.path != "/health":
        access_log.info("%s %s %d", request.method, request.uri, handler.get_status())


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/(?:health|light)?", PageHandler)], log_function=log_request())


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
