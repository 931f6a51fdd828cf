"""Two pages with one layout: what they share is written once."""

import asyncio
import contextlib

import tornado.template
import tornado.web
from tornado.options import define, options, parse_command_line

TEMPLATES = {
    # TODO: make blocks called title and main in the base, and fill them in the two pages.
    "base.html": "<!doctype html><title>Homes</title><main></main><footer>By the sea</footer>",
    "home.html": "<h1>All homes</h1>",
    "about.html": "<h1>About us</h1>",
}


class PageHandler(tornado.web.RequestHandler):
    def get(self, name: str) -> None:
        self.render(f"{name or 'home'}.html")


def make_app() -> tornado.web.Application:
    loader = tornado.template.DictLoader(TEMPLATES)
    return tornado.web.Application([(r"/(about|)", PageHandler)], template_loader=loader)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
