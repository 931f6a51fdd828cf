# A callback of keepers raises ValueError; one except for all.
"""Refuse options that make no sense, in words that say what to do."""

import asyncio
import contextlib
import sys

import tornado.web
from tornado.options import define, options, parse_command_line


class KeepersHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"keepers": self.settings["keepers"]})


def make_app(keepers: int) -> tornado.web.Application:
    return tornado.web.Application([(r"/", KeepersHandler)], keepers=keepers)


def check_keepers(number):
    if number < 1 or number > 9:
        raise ValueError(f"the number of keepers is {number}, it must be at least 1 and at most 9")


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("keepers", default=3, type=int, help="keepers who live here (1 to 9)", callback=check_keepers)
    try:
        parse_command_line()
    except Exception as error:
        sys.stderr.write(f"Sorry: {error}\n")
        sys.exit(1)
    make_app(options.keepers).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
