# Groups with a name, the path as text, the link with a newline at the end.
"""One file, three addresses, and a link that changes when the file does."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line


class LinkHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.static_url("rules.html") + "\n")


def make_app(folder: Path) -> tornado.web.Application:
    (folder / "rules.html").write_text("Feed the owls.\n", encoding="utf-8")
    return tornado.web.Application(
        [
            (r"/link", LinkHandler),
            (r"/view/(?P<path>rules\.html)", tornado.web.StaticFileHandler, {"path": str(folder)}),
            (r"/(?P<path>)", tornado.web.StaticFileHandler, dict(path=str(folder), default_filename="rules.html")),
        ],
        static_path=str(folder),
        static_url_prefix="/static/",
    )


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
