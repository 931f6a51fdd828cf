"""Static files: the static folder, and routes to one file or to a folder.

Run it:  python3 learn.py run 03/static_files
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

STATIC = Path(__file__).parent / "static"


class RobotsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("never reached: static_path answers /robots.txt before any route\n")


def make_app() -> tornado.web.Application:
    """Make an application that serves static/pages/rules.html at three addresses."""
    # region routes
    pages = {"path": STATIC / "pages"}
    start = pages | {"default_filename": "rules.html"}
    routes = [  # the one group is the path below the folder; () is empty, so the default is sent
        (r"/()", tornado.web.StaticFileHandler, start),
        (r"/view/(.*)", tornado.web.StaticFileHandler, pages),
        (r"/robots\.txt", RobotsHandler),  # never called: static_path is asked first
    ]
    # endregion
    return tornado.web.Application(routes, static_path=STATIC)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
