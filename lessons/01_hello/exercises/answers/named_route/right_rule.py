# The route is a Rule with a PathMatches, the link has no spaces in its JSON.
"""GET /?city=London&name=Ada answers a link made from the name of a route."""

import asyncio
import contextlib

import tornado.web
from tornado.routing import PathMatches, Rule
from tornado.options import define, options, parse_command_line


class LinkHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        path = self.reverse_url("greet", self.get_query_argument("city"), self.get_query_argument("name"))
        self.write('{"link":"%s"}' % path)


class GreetHandler(tornado.web.RequestHandler):
    def get(self, name: str, city: str) -> None:
        self.write({"name": name, "city": city})


def make_app() -> tornado.web.Application:
    greet = Rule(PathMatches(r"/in/(?P<city>[^/]*)/greet/(?P<name>[^/]*)"), GreetHandler, name="greet")
    app = tornado.web.Application([(r"/", LinkHandler)])
    app.add_handlers(r".*", [greet])
    return app


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
