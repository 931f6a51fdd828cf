"""Settings from a Python module: what belongs to the application, and not to one start of it.

Run it:  python3 learn.py run 02/settings_module
"""

import asyncio
import contextlib
import signal

import tornado.web
from settings import lighthouse
from tornado.options import define, options, parse_command_line


class LogBookHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        log_book: list[str] = self.settings["log_book"]
        log_book.append(f"Visit {len(log_book) + 1}")
        self.write({"database": self.settings["database"], "log_book": log_book})


def make_app() -> tornado.web.Application:
    """One page that tells some settings, and writes into one that all requests share."""
    log_book: list[str] = []
    return tornado.web.Application(
        [(r"/", LogBookHandler)],
        database=lighthouse.database,
        log_book=log_book,  # an object made at the start: a connection, a store
        **lighthouse.application,
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
