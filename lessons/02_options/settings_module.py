"""Settings from a Python module, for values that are the same on every run.

Run it:  python3 learn.py run 02/settings_module
"""

import asyncio
import contextlib

import tornado.web
from settings import lighthouse
from tornado.options import define, options, parse_command_line


class LogBookHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        log_book: list[str] = self.settings["log_book"]
        log_book.append(f"Visit {len(log_book) + 1}")
        self.write({"database": self.settings["database"], "log_book": log_book})


def make_app() -> tornado.web.Application:
    """Make an application with one page, which shows settings and changes a shared one."""
    log_book: list[str] = []
    return tornado.web.Application(
        [(r"/", LogBookHandler)],
        database=lighthouse.database,
        log_book=log_book,  # any object that all handlers share, such as a connection
        **lighthouse.application,
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
