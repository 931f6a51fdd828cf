"""From a path to a handler: order, captured parts, extra arguments, names, a page for the rest.

Run it:  python3 learn.py run 01/routing
"""

import asyncio
import contextlib
import signal

import tornado.web
from tornado.options import define, options, parse_command_line


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"links": [self.reverse_url("greet", "Ada"), self.reverse_url("sum", 2, 3)]})


class GreetHandler(tornado.web.RequestHandler):
    def initialize(self, greeting: str) -> None:
        self.greeting = greeting

    def get(self, name: str) -> None:
        self.write(f"{self.greeting}, {name}!\n")


class SumHandler(tornado.web.RequestHandler):
    def get(self, left: str, right: str) -> None:
        self.write(f"{int(left) + int(right)}\n")


class NotFoundHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        self.set_status(404)
        self.finish(f"Nothing at {self.request.path}\n")


def make_app() -> tornado.web.Application:
    """Each route is (regex of the whole path, handler, arguments of initialize(), name)."""
    # region routes
    routes = [
        (r"/", HomeHandler),
        (r"/hello/(?P<name>\w+)", GreetHandler, {"greeting": "Hello"}, "greet"),
        (r"/hola/(?P<name>\w+)", GreetHandler, {"greeting": "Hola"}),
        (r"/sum/(\d+)/(\d+)", SumHandler, {}, "sum"),
    ]
    # endregion
    return tornado.web.Application(routes, default_handler_class=NotFoundHandler)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
