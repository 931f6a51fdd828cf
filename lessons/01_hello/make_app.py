"""The form of every other script: make_app() for tests, an option for the port, a quiet end.

Run it:  python3 learn.py run 01/make_app
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class HelloHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Hello, world\n")


def make_app() -> tornado.web.Application:
    """Make the application; a test calls this, too."""
    return tornado.web.Application([(r"/", HelloHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


# region start
if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
# endregion
