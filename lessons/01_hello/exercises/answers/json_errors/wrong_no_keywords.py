# write_error() does not accept the keyword arguments.
# Told: got an unexpected keyword argument 'exc_info'
# Told: If "your code" above names write_error(), it has raised an exception
"""Answer every error in JSON: {"code": 404, "reason": "Not Found"}."""

import asyncio
import contextlib
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line


class BaseHandler(tornado.web.RequestHandler):
    """Answers all errors as JSON, for every handler."""

    def write_error(self, status_code: int) -> None:
        self.finish({"code": status_code, "reason": self._reason})


class NotFoundHandler(BaseHandler):
    def prepare(self) -> None:
        raise tornado.web.HTTPError(404)


class MoonsHandler(BaseHandler):
    def get(self, planet: str) -> None:
        self.write({"moons": {"mars": 2}[planet]})  # any other planet is a KeyError

    def put(self, planet: str) -> None:
        raise tornado.web.HTTPError(409)


def make_app() -> tornado.web.Application:
    return tornado.web.Application(
        [(r"/moons/(\w+)", MoonsHandler)],
        default_handler_class=NotFoundHandler,
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
