"""A link that is made from the name of a route, so that the path is written only once.

Run it:  python3 learn.py run 01/route_names
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"link": self.reverse_url("greet", "Ada Lovelace")})


class HelloHandler(tornado.web.RequestHandler):
    def get(self, name: str) -> None:
        self.write(f"Hello, {name}!\n")


def make_app() -> tornado.web.Application:
    """Make an application in which one route has a name."""
    # region routes
    routes = [
        (r"/", HomeHandler),
        (r"/hello/(?P<name>[^/]+)", HelloHandler, {}, "greet"),
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
