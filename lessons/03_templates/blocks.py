"""Pages with the same layout: a base template with blocks, and pages that fill some of them.

Run it:  python3 learn.py run 03/blocks
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent

PAGES = {
    "about": "fills the title and the main part",
    "bare": "fills nothing, and has text outside of any block",
    "festive": "fills every block",
    "grandchild": "extends about.html, which extends base.html",
}


class PageHandler(tornado.web.RequestHandler):
    def get(self, name: str) -> None:
        # The name comes from the client: only names that we know become a path.
        if name not in PAGES:
            raise tornado.web.HTTPError(404, reason="No such page")
        self.render(f"blocks/{name}.html", pages=PAGES)


def make_app() -> tornado.web.Application:
    """Make an application with a page for each way to fill the blocks of base.html."""
    return tornado.web.Application(
        [
            (r"/", tornado.web.RedirectHandler, {"url": "/about", "permanent": False}),
            (r"/(\w+)", PageHandler, {}, "page"),
        ],
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
