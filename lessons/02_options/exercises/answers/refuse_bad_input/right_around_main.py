# The except stands around asyncio.run; make_app refuses the number.
"""Refuse options that make no sense, in words that say what to do."""

import asyncio
import contextlib
import sys

import tornado.web
from tornado.options import Error, define, options, parse_command_line


class KeepersHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"keepers": self.settings["keepers"]})


class WrongKeepers(Error):
    pass


def make_app(keepers: int) -> tornado.web.Application:
    if keepers < 1 or keepers > 9:
        raise WrongKeepers("--keepers must be from 1 to 9, but it is %d" % keepers)
    return tornado.web.Application([(r"/", KeepersHandler)], keepers=keepers)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("keepers", default=3, help="how many live here, from 1 to 9")
    parse_command_line()
    make_app(options.keepers).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        try:
            asyncio.run(main())
        except (ValueError, Error) as wrong:
            sys.exit("%s: %s" % (type(wrong).__name__, wrong))
