"""The application of the package, and its command."""

import asyncio
import contextlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent  # of the installed package, wherever it was started


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("home.html", version=own_version())


def own_version() -> str:
    """Return the version that was installed, from pyproject.toml."""
    try:
        return version("lighthouse")
    except PackageNotFoundError:
        return "not installed"


def make_app() -> tornado.web.Application:
    """Make an application whose templates and static files are inside the package."""
    return tornado.web.Application(
        [("/", HomeHandler)], template_path=HERE / "templates", static_path=HERE / "static"
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}", flush=True)
    await asyncio.Event().wait()


def run() -> None:
    """Serve until Ctrl-C. A command of a package is a function that is not a coroutine."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
