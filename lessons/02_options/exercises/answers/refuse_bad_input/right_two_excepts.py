# An except clause for each, SystemExit raised, print to standard error.
"""Refuse options that make no sense, in words that say what to do."""

import asyncio
import contextlib
import sys

import tornado.options
import tornado.web
from tornado.options import define, options, parse_command_line


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
    except tornado.options.Error as problem:
        print("There is a problem with an option: " + str(problem), file=sys.stderr)
        raise SystemExit(2)
    except ValueError as problem:
        print("This is not a number:", problem, file=sys.stderr)
        raise SystemExit(2)
    if options.keepers not in range(1, 10):
        print("keepers has to be between 1 and 9, not", options.keepers, file=sys.stderr)
        raise SystemExit(2)
    make_app(options.keepers).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
