"""From a path to a handler: the order of the routes, and the groups of a pattern.

Run it:  python3 learn.py run 01/routing
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Try /hello/Ada and /sum/2/3\n")


class HelloHandler(tornado.web.RequestHandler):
    def get(self, name: str) -> None:
        self.write(f"Hello, {name}!\n")


class SumHandler(tornado.web.RequestHandler):
    def get(self, left: str, right: str) -> None:
        self.write(f"{int(left) + int(right)}\n")


def make_app() -> tornado.web.Application:
    """Make an application with three routes, each a pair of a pattern and a handler."""
    # region routes
    routes = [
        (r"/", HomeHandler),
        (r"/hello/(?P<name>\w+)", HelloHandler),
        (r"/sum/(\d+)/(\d+)", SumHandler),
    ]
    # endregion
    return tornado.web.Application(routes)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
