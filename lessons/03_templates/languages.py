"""One template in three languages: the browser's, unless the visitor has chosen another.

Run it:  python3 learn.py run 03/languages
"""

import asyncio
import contextlib
import json
from pathlib import Path

import tornado.locale
import tornado.web
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
HOMES = json.loads((HERE / "homes.json").read_text(encoding="utf-8"))
LANGUAGES = {"en_US": "English", "es": "Español", "zh_CN": "简体中文"}


class HomesHandler(tornado.web.RequestHandler):
    def get_user_locale(self) -> tornado.locale.Locale | None:
        chosen = self.get_query_argument("language", "")
        # None: use Accept-Language. get() returns the closest loaded locale, or the default.
        return tornado.locale.get(chosen) if chosen else None

    def get(self) -> None:
        self.render("languages.html", homes=HOMES, languages=LANGUAGES)


def make_app() -> tornado.web.Application:
    """Make an application with the page of homes in English, the default, Spanish and Chinese."""
    # One file for each language, loaded for the whole process. es.csv is used for es and es-MX,
    # es_ES.csv only for es-ES.
    tornado.locale.load_translations(str(HERE / "translations"))
    return tornado.web.Application(
        [(r"/", HomesHandler)],
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
