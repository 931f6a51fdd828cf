"""Headers of all responses, which a handler may replace and which an error restores.

Run it:  python3 learn.py run 01/default_headers
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class BaseHandler(tornado.web.RequestHandler):
    def set_default_headers(self) -> None:
        self.set_header("Server", "planets")  # in place of Tornado's name and version
        self.set_header("Cache-Control", "no-store")  # store no copy
        self.set_header("X-Content-Type-Options", "nosniff")  # do not guess the type


class MoonsHandler(BaseHandler):
    def get(self, planet: str) -> None:
        self.set_header("Cache-Control", "max-age=3600")  # replaces the default
        if planet != "mars":
            raise tornado.web.HTTPError(404)
        self.write("Phobos, Deimos\n")


class NotFoundHandler(BaseHandler):
    """Answers the paths without a route; Tornado's own handler would not have the headers."""

    def prepare(self) -> None:
        raise tornado.web.HTTPError(404)


def make_app() -> tornado.web.Application:
    """Make an application whose responses all have the headers of BaseHandler."""
    return tornado.web.Application(
        [
            (r"/", tornado.web.RedirectHandler, {"url": "/moons/mars"}),
            (r"/moons/(\w+)", MoonsHandler),
        ],
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
