# The program prints the sentence and returns: exit code 0.
# Told: exit code 0
# Told: an exit code other than 0
# Told: makes the exit code 1
"""Refuse options that make no sense, in words that say what to do."""

import asyncio
import contextlib
import sys

import tornado.web
from tornado.options import Error, define, options, parse_command_line


class KeepersHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"keepers": self.settings["keepers"]})


def make_app(keepers: int) -> tornado.web.Application:
    return tornado.web.Application([(r"/", KeepersHandler)], keepers=keepers)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("keepers", default=3, help="how many live here, from 1 to 9")
    try:
        parse_command_line()
    except (Error, ValueError) as error:
        print(f"wrong option: {error}", file=sys.stderr)
        return
    if not 1 <= options.keepers <= 9:
        print(f"--keepers={options.keepers} must be from 1 to 9", file=sys.stderr)
        return
    make_app(options.keepers).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
