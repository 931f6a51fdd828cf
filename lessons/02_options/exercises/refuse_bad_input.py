"""Refuse wrong options with a sentence that says what is wrong."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class KeepersHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"keepers": self.settings["keepers"]})


def make_app(keepers: int) -> tornado.web.Application:
    return tornado.web.Application([(r"/", KeepersHandler)], keepers=keepers)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("keepers", default=3)  # TODO 1: --help must describe it, as "from 1 to 9"
    # TODO 2: a value that is not a number and an option that does not exist end in a traceback.
    # Make the program end with one sentence about it instead, and an exit code other than 0.
    parse_command_line()
    # TODO 3: the same for keepers that are not from 1 to 9
    make_app(options.keepers).listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
