# An assert ends in a traceback.
# Told: AssertionError: keepers
# Told: standard error without 'Traceback'
# Told: sys.exit(text)
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
        sys.exit(f"wrong option: {error}")
    assert 1 <= options.keepers <= 9, 'keepers must be from 1 to 9'
    make_app(options.keepers).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
