"""Pages made by Jinja2, with the functions that Tornado's templates have.

Run it:  python3 learn.py run 03/jinja_pages
"""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import jinja2
import tornado.locale
import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
HOMES = json.loads((HERE / "homes.json").read_text(encoding="utf-8"))

# region environment
ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates" / "jinja"),
    autoescape=True,  # the default of Jinja2 is False
    undefined=jinja2.StrictUndefined,  # by default, an unknown name is an empty text
)
# endregion


class JinjaHandler(tornado.web.RequestHandler):
    def render_string(self, template_name: str, **kwargs: Any) -> bytes:
        names = self.get_template_namespace() | kwargs  # static_url, _, locale, current_user, ...
        return ENVIRONMENT.get_template(template_name).render(names).encode()


class HomesHandler(JinjaHandler):
    def get(self) -> None:
        self.render("homes.html", homes=HOMES, wish=self.get_query_argument("q", ""))


def make_app() -> tornado.web.Application:
    """Make an application with a page of the homes whose title contains the argument q."""
    tornado.locale.load_translations(str(HERE / "translations"))
    return tornado.web.Application([(r"/", HomesHandler)], static_path=HERE / "static")


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
