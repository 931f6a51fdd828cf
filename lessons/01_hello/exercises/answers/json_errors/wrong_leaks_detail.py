# A third field tells what went wrong inside.
# Told: a body without 'KeyError'
# Told: Send the client only code and reason
"""Answer every error in JSON: {"code": 404, "reason": "Not Found"}."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class BaseHandler(tornado.web.RequestHandler):
    def write_error(self, status_code, **kwargs):
        detail = repr(kwargs["exc_info"][1]) if status_code == 500 else ""
        self.finish({"code": status_code, "reason": self._reason, "detail": detail})


class MoonsHandler(BaseHandler):
    def get(self, planet: str) -> None:
        self.write({"moons": {"mars": 2}[planet]})  # any other planet is a KeyError

    def put(self, planet: str) -> None:
        raise tornado.web.HTTPError(409)


class NotFoundHandler(BaseHandler):
    def prepare(self) -> None:
        raise tornado.web.HTTPError(404)


def make_app() -> tornado.web.Application:
    return tornado.web.Application(
        [(r"/moons/(\w+)", MoonsHandler)], default_handler_class=NotFoundHandler
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
