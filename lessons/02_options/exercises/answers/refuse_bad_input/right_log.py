# The sentence goes to the log; German words; the values are named.
"""Refuse options that make no sense, in words that say what to do."""

import asyncio
import contextlib
import logging
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
    define("keepers", default=3, help="Anzahl der Wärter (1 bis 9); keepers of the lighthouse")
    try:
        parse_command_line()
        if not 0 < options.keepers < 10:
            raise Error(f"keepers: {options.keepers} ist nicht von 1 bis 9")
    except (Error, ValueError) as error:
        logging.error("Falsche Option: %s", error)
        sys.exit(3)
    make_app(options.keepers).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
