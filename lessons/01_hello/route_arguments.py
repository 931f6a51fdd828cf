"""One handler for two routes, each with an argument of its own for initialize().

Run it:  python3 learn.py run 01/route_arguments
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Try /hello/Ada and /hola/Ada\n")


class GreetHandler(tornado.web.RequestHandler):
    def initialize(self, greeting: str) -> None:
        self.greeting = greeting

    def prepare(self) -> None:
        (name,) = self.path_args  # the groups without names; the others are in self.path_kwargs
        if len(name) > 20:
            raise tornado.web.HTTPError(400, reason="This name is too long")

    def get(self, name: str) -> None:
        self.write(f"{self.greeting}, {name}!\n")


def make_app() -> tornado.web.Application:
    """Make an application in which the third part of two routes is a dictionary."""
    # region routes
    routes = [
        (r"/", HomeHandler),
        (r"/hello/(\w+)", GreetHandler, {"greeting": "Hello"}),
        (r"/hola/(\w+)", GreetHandler, {"greeting": "Hola"}),
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
