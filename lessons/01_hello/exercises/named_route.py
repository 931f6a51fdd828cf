"""GET /?city=London&name=Ada answers a link made from the name of a route."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class LinkHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        # TODO 2 (begin with TODO 1, in make_app): read city and name from the query, and make the
        # link from the name of the route.
        self.write({"link": "TODO"})


class GreetHandler(tornado.web.RequestHandler):
    def get(self, name: str, city: str) -> None:
        self.write({"name": name, "city": city})


def make_app() -> tornado.web.Application:
    # TODO 1: a route named "greet" for /in/CITY/greet/NAME that calls GreetHandler.
    return tornado.web.Application([(r"/", LinkHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
