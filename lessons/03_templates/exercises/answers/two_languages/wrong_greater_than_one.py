# The count decides with > 1: 0 is singular.
# Told: count=0
# Told: the body 'Welcome: 0 homes'
"""A greeting in the visitor's language."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

import tornado.locale
import tornado.web
from tornado.options import define, options, parse_command_line

SPANISH = """"Welcome","Bienvenido"
"%(count)d home","%(count)d casa","singular"
"%(count)d homes","%(count)d casas","plural"
"""


class HomeHandler(tornado.web.RequestHandler):
    def get(self):
        count = int(self.get_query_argument("count", "1"))
        language = self.get_query_argument("language", None)
        if language is None:
            locale = self.get_browser_locale()
        else:
            locale = tornado.locale.get(language)
        homes = locale.translate("%(count)d home", "%(count)d homes", 2 if count > 1 else 1) % {"count": count}
        self.write(locale.translate("Welcome") + ": " + homes)


def make_app(folder: Path) -> tornado.web.Application:
    (folder / "es.csv").write_text(SPANISH, encoding="utf-8")
    tornado.locale.load_translations(str(folder), encoding="utf-8")
    return tornado.web.Application([(r"/", HomeHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    with tempfile.TemporaryDirectory() as folder:
        make_app(Path(folder)).listen(options.port, "localhost")
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
