# A subclass with a fixed file for /; /static/ comes from the setting; the link with the host.
"""One file, three addresses, and a link that changes when the file does."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line


class LinkHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.static_url("rules.html", include_host=True))


class RulesHandler(tornado.web.StaticFileHandler):
    async def get(self, path="rules.html", include_body=True):
        await super().get("rules.html", include_body)


def make_app(folder: Path) -> tornado.web.Application:
    (folder / "rules.html").write_text("Feed the owls.\n", encoding="utf-8")
    return tornado.web.Application(
        [
            (r"/", RulesHandler, {"path": folder}),
            (r"/view/(.+)", tornado.web.StaticFileHandler, {"path": folder}),
            (r"/link", LinkHandler),
        ],
        static_path=folder,
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
