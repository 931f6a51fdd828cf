# ?language= is not read.
# Told: language=es
# Told: Bienvenido: 3 casas
# Told: tornado.locale.get(language)
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
    def get_user_locale(self):
        language = self.get_query_argument("language", None)
        return None

    def get(self) -> None:
        count = int(self.get_query_argument("count", "1"))
        welcome = self.locale.translate("Welcome")
        homes = self.locale.translate("%(count)d home", "%(count)d homes", count)
        self.write(f"{welcome}: {homes % {'count': count}}")


def make_app(folder: Path) -> tornado.web.Application:
    (folder / "es.csv").write_text(SPANISH, encoding="utf-8")
    tornado.locale.load_translations(str(folder))
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
