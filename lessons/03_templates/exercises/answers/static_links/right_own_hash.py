# A version of one's own: the beginning of a hash of the content.
"""One file, three addresses, and a link that changes when the file does."""

import asyncio
import contextlib
import hashlib
import tempfile
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line


class LinkHandler(tornado.web.RequestHandler):
    def link(self, name):
        data = (Path(self.settings["static_path"]) / name).read_bytes()
        return f"/static/{name}?v={hashlib.sha256(data).hexdigest()[:12]}"

    def get(self) -> None:
        self.write(self.link("rules.html"))


def make_app(folder: Path) -> tornado.web.Application:
    (folder / "rules.html").write_text("Feed the owls.\n", encoding="utf-8")
    files = {"path": folder, "default_filename": "rules.html"}
    return tornado.web.Application(
        [
            (r"/link", LinkHandler),
            (r"/view/(.*)", tornado.web.StaticFileHandler, files),
            (r"/()", tornado.web.StaticFileHandler, files),
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
