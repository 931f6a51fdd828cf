# None in place of the empty dictionary, a slash at the end allowed in no route, host matcher.
"""GET /?city=London&name=Ada answers a link made from the name of a route."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class LinkHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        city = self.get_query_argument("city")
        name = self.get_query_argument("name")
        self.write({"link": self.reverse_url("greet", city, name)})


class GreetHandler(tornado.web.RequestHandler):
    def get(self, name: str, city: str) -> None:
        self.write({"name": name, "city": city})


def make_app() -> tornado.web.Application:
    routes = []
    routes.append((r"/$", LinkHandler))
    routes.append((r"/in/(?P<city>[^/]+?)/greet/(?P<name>[^/]+?)", GreetHandler, None, "greet"))
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
