"""A greeting in the visitor's language."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

import tornado.locale
import tornado.web
from tornado.options import define, options, parse_command_line

SPANISH = """"Welcome","Bienvenido"
"""  # TODO 3: "%(count)d home" and its plural, "%(count)d casa" and "%(count)d casas"


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:  # TODO 2: translate; ?language=es wins over the browser
        count = int(self.get_query_argument("count", "1"))
        self.write(f"Welcome: {count} homes")


def make_app(folder: Path) -> tornado.web.Application:
    (folder / "es.csv").write_text(SPANISH, encoding="utf-8")  # TODO 1: now load the folder
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
