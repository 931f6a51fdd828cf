# head() returns the method get instead of calling it.
# Told: 500 Internal Server Error
# Told: are the parentheses missing, as in self.get()?
# Told: head() has raised an exception
"""Answer HEAD as well as GET.

A link checker asks HEAD when it wants the headers of a page without the page.
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class HelloHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Hello, world\n")

    def head(self) -> None:
        return self.get


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/", HelloHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
