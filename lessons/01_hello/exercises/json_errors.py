"""Answer every error in JSON: {"code": 404, "reason": "Not Found"}."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class BaseHandler(tornado.web.RequestHandler):
    """TODO 1: make the error page: JSON with the fields code and reason, and no others."""


class MoonsHandler(BaseHandler):
    def get(self, planet: str) -> None:
        self.write({"moons": {"mars": 2}[planet]})  # any other planet is a KeyError

    def put(self, planet: str) -> None:
        raise tornado.web.HTTPError(409)


def make_app() -> tornado.web.Application:
    # TODO 2: a path that no route matches answers in JSON too.
    return tornado.web.Application([(r"/moons/(\w+)", MoonsHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
