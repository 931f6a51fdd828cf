# The health page is a handler of its own whose _log does nothing; the line has a fourth field.
"""Write your own line for each request, and none for the visits of a monitor."""

import asyncio
import contextlib

import tornado.web
from tornado.log import access_log
from tornado.options import define, options, parse_command_line


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Here I am\n")


class HealthHandler(PageHandler):
    def _log(self):
        pass


def log_request(handler: tornado.web.RequestHandler) -> None:
    access_log.info(" ".join([
        handler.request.method, handler.request.uri, str(handler.get_status()),
        f"{handler.request.request_time():.3f}s",
    ]))


def make_app() -> tornado.web.Application:
    return tornado.web.Application(
        [(r"/health", HealthHandler), (r"/(?:light)?", PageHandler)], log_function=log_request
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
