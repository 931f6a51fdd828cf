# The application makes the link; the arguments come from get_argument.
"""GET /?city=London&name=Ada answers a link made from the name of a route."""

import asyncio
import contextlib

import tornado.escape
import tornado.web
from tornado.options import define, options, parse_command_line


class LinkHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        names = ("city", "name")
        values = [self.get_argument(each) for each in names]
        link = self.application.reverse_url("greet", *values)
        self.set_header("Content-Type", "application/json")
        self.finish(tornado.escape.json_encode(dict(link=link)))


class GreetHandler(tornado.web.RequestHandler):
    def get(self, name: str, city: str) -> None:
        self.write({"name": name, "city": city})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([
        (r"/", LinkHandler),
        (r"/in/(?P<city>[^/]+)/greet/(?P<name>[^/]+)", GreetHandler, {}, "greet"),
    ])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
