"""UI modules: parts of a page with their own template, style and script.

Run it:  python3 learn.py run 03/modules
"""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
HOMES = json.loads((HERE / "homes.json").read_text(encoding="utf-8"))


class Card(tornado.web.UIModule):
    def render(self, key: str, home: dict[str, Any]) -> bytes:
        return self.render_string("card.html", key=key, home=home)

    def css_files(self) -> list[str]:
        return ["card.css"]  # linked once, before </head>, however many cards there are


class Note(tornado.web.UIModule):
    def render(self, text: str) -> str:
        return f"<p class='note'>{text}</p>"  # a module's output is not escaped

    def embedded_css(self) -> str:
        return ".note { padding: 12px 16px; border-left: 4px solid var(--accent); }"

    def javascript_files(self) -> list[str]:
        return ["note.js"]  # linked once, before </body>


class HomesHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("modules.html", homes=HOMES)


class HomeHandler(tornado.web.RequestHandler):
    def get(self, key: str) -> None:
        self.render("home.html", key=key, home=HOMES[key])


def make_app() -> tornado.web.Application:
    """Make an application with the page of homes, made of modules."""
    keys = "|".join(HOMES)
    return tornado.web.Application(
        [(r"/", HomesHandler, {}, "homes"), (rf"/home/({keys})", HomeHandler, {}, "home")],
        ui_modules={"Card": Card, "Note": Note},
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
