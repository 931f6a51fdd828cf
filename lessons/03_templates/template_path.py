"""The three folders for templates: that of the setting, that of a handler, and that of the script.

Run it:  python3 learn.py run 03/template_path
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

TEMPLATES = Path(__file__).parent / "templates"


class ScreenHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("ticket.html", where="in the folder of the setting")


class PrintHandler(tornado.web.RequestHandler):
    def get_template_path(self) -> str:
        return str(TEMPLATES / "print")

    def get(self) -> None:
        self.render("ticket.html", where="in the handler's own folder")


class BesideHandler(tornado.web.RequestHandler):
    def get_template_path(self) -> None:
        return None  # as without the setting: names are relative to the folder of this script

    def get(self) -> None:
        self.render("templates/ticket.html", where="by a path from the folder of the script")


def make_app() -> tornado.web.Application:
    """Make an application with three pages, each with a template from another folder."""
    return tornado.web.Application(
        [(r"/", ScreenHandler), (r"/print", PrintHandler), (r"/beside", BesideHandler)],
        template_path=TEMPLATES,
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
