# The view opens whatever the path says: ../ leads out of the folder.
# Told: GET /view/../secret.txt
# Told: 200  secret
# Told: StaticFileHandler must serve the files
"""One file, three addresses, and a link that changes when the file does."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line


class LinkHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.static_url("rules.html"))


class ViewHandler(tornado.web.RequestHandler):
    def get(self, name):
        file = Path(self.settings["static_path"]) / name
        if not file.is_file():
            raise tornado.web.HTTPError(404)
        self.write(file.read_bytes())


def make_app(folder: Path) -> tornado.web.Application:
    (folder / "rules.html").write_text("Feed the owls.\n", encoding="utf-8")
    return tornado.web.Application(
        [
            (r"/link", LinkHandler),
            (r"/()", tornado.web.StaticFileHandler, {"path": folder, "default_filename": "rules.html"}),
            (r"/view/(.*)", ViewHandler),
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
