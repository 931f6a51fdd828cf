# A dictionary by hand that looks only at ?language=.
# Told: Accept-Language: es
# Told: Bienvenido: 3 casas
# Told: load_translations
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
        spanish = self.get_query_argument("language", "en_US") == "es"
        welcome = "Bienvenido" if spanish else "Welcome"
        home = ("casa" if count == 1 else "casas") if spanish else ("home" if count == 1 else "homes")
        self.write(f"{welcome}: {count} {home}")


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
