"""The smallest template: a page with one place for a value.

Run it:  python3 learn.py run 03/hello
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

TEMPLATES = Path(__file__).parent / "templates"


class HelloHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("hello.html", name=self.get_query_argument("name", "you"))


def make_app() -> tornado.web.Application:
    """Make an application with one page, which greets by name: /?name=Ada."""
    return tornado.web.Application([(r"/", HelloHandler)], template_path=TEMPLATES)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
