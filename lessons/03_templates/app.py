"""A small site from templates: a page of homes with a search, and a page for each home.

Run it:  python3 learn.py run 03
"""

import asyncio
import contextlib
import json
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
HOMES = json.loads((HERE / "homes.json").read_text(encoding="utf-8"))


class HomesHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        query = self.get_query_argument("q", "")
        found = {
            key: home
            for key, home in HOMES.items()
            if query.lower() in f"{home['title']} {home['place']}".lower()
        }
        self.render("homes.html", homes=found, query=query)


class HomeHandler(tornado.web.RequestHandler):
    def get(self, key: str) -> None:
        if key not in HOMES:
            raise tornado.web.HTTPError(404, reason="No such home")
        self.render("home.html", key=key, home=HOMES[key])


def make_app() -> tornado.web.Application:
    """Make an application with homes for rent: / has a search, /home/NAME is one home."""
    return tornado.web.Application(
        [
            (r"/", HomesHandler, {}, "homes"),
            (r"/home/(\w+)", HomeHandler, {}, "home"),
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
