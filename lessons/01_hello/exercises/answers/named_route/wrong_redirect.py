# Redirects to the link in place of writing it.
# Told: 302 Found
# Told: 200 OK
"""GET /?city=London&name=Ada answers a link made from the name of a route."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class LinkHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        city = self.get_query_argument("city")
        name = self.get_query_argument("name")
        self.redirect(self.reverse_url("greet", city, name))


class GreetHandler(tornado.web.RequestHandler):
    def get(self, name: str, city: str) -> None:
        self.write({"name": name, "city": city})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([
        tornado.web.url(r"/", LinkHandler),
        tornado.web.url(r"/in/(?P<city>.+)/greet/(?P<name>.+)", GreetHandler, name="greet"),
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
