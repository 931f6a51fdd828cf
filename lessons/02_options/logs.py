"""The log: what Tornado writes to standard error after the options have been read.

Run it:  python3 learn.py run 02/logs
Then:    python3 learn.py run 02/logs --logging=warning     (or none)
"""

import asyncio
import contextlib
import logging

import tornado.web
from tornado.options import define, options, parse_command_line

log = logging.getLogger("lighthouse")


class LevelHandler(tornado.web.RequestHandler):
    def get(self, level: str) -> None:
        log.log(getattr(logging, level.upper()), "the lamp reports %s", level)
        self.write(f"Wrote a message of level {level}: see the log in the server's terminal\n")


class LevelsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Try /debug, /info, /warning or /error\n")


def make_app() -> tornado.web.Application:
    """Make an application with a page for each level of the log."""
    return tornado.web.Application(
        [
            (r"/", LevelsHandler),
            (r"/(debug|info|warning|error)", LevelHandler),
        ]
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
