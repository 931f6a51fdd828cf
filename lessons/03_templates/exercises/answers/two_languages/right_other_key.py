# The texts are whole sentences with the welcome in them.
"""A greeting in the visitor's language."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

import tornado.locale
import tornado.web
from tornado.options import define, options, parse_command_line

SPANISH = """"Welcome: {} home","Bienvenido: {} casa","singular"
"Welcome: {} homes","Bienvenido: {} casas","plural"
"""


class HomeHandler(tornado.web.RequestHandler):
    def get_user_locale(self):
        code = self.get_argument("language", "")
        return tornado.locale.get(code) if code else None

    def get(self):
        count = int(self.get_query_argument("count", "1"))
        text = self.locale.translate("Welcome: {} home", "Welcome: {} homes", count)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write(text.format(count) + "\n")


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
