# _ for translate; a default for the language; other spacing in the CSV: no quotes.
"""A greeting in the visitor's language."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

import tornado.locale
import tornado.web
from tornado.options import define, options, parse_command_line

SPANISH = """Welcome,Bienvenido
%(count)d home,%(count)d casa,singular
%(count)d homes,%(count)d casas,plural
"""


class HomeHandler(tornado.web.RequestHandler):
    def get_user_locale(self):
        if "language" in self.request.query_arguments:
            return tornado.locale.get(self.get_query_argument("language"))

    def get(self):
        _ = self.locale.translate
        n = int(self.get_argument("count", 1))
        self.finish(_("Welcome") + ": " + _("%(count)d home", "%(count)d homes", n) % dict(count=n))


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
