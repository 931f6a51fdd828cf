"""A slash at the end of a path: three rules for it.

Run it:  python3 learn.py run 01/slashes
"""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class FolderHandler(tornado.web.RequestHandler):
    @tornado.web.addslash
    def get(self) -> None:
        self.write("The address of this page ends with a slash\n")


class PageHandler(tornado.web.RequestHandler):
    @tornado.web.removeslash
    def get(self) -> None:
        self.write("The address of this page ends without a slash\n")

    def post(self) -> None:
        self.write("Posted\n")


class BothHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("This page has two addresses\n")


def make_app() -> tornado.web.Application:
    """Make an application with a page for each rule."""
    # region routes
    routes = [
        (r"/", tornado.web.RedirectHandler, {"url": "/both"}),
        (r"/folder/?", FolderHandler),
        (r"/page/?", PageHandler),
        (r"/both/?", BothHandler),
    ]
    # endregion
    return tornado.web.Application(routes)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
