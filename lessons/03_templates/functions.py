"""Functions in templates: those that every template has, and three ways to add your own.

Run it:  python3 learn.py run 03/functions
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


def joined(titles: list[str]) -> str:
    return " + ".join(titles)


def stars(handler: tornado.web.RequestHandler, score: int) -> str:  # way 2: a UI method
    return "★" * score + "☆" * (5 - score)


class BaseHandler(tornado.web.RequestHandler):
    def get_current_user(self) -> str:
        return "Ada"

    def get_template_namespace(self) -> dict[str, Any]:  # way 3: for all templates of a handler
        return super().get_template_namespace() | {"euros": lambda amount: f"{amount:,} €"}


class HomeHandler(BaseHandler):
    def get(self) -> None:
        titles = ["Lighthouse", "boat", "<b>breakfast</b>"]
        self.render("functions.html", titles=titles, joined=joined)  # way 1: an argument


class NamesHandler(BaseHandler):
    def get(self) -> None:
        self.write(
            {"always there": sorted(tornado.web.RequestHandler.get_template_namespace(self))}
        )


def make_app() -> tornado.web.Application:
    """Make an application: / uses all functions, /names lists those that every template has."""
    return tornado.web.Application(
        [(r"/", HomeHandler, {}, "start"), (r"/names", NamesHandler)],
        ui_methods={"stars": stars},
        template_path=HERE / "templates",
        static_path=HERE / "static",
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
