# The link comes from StaticFileHandler.make_static_url.
"""One file, three addresses, and a link that changes when the file does."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line


class LinkHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        link = tornado.web.StaticFileHandler.make_static_url(self.settings, "rules.html")
        self.set_header("Content-Type", "text/plain")
        self.finish(link)


def make_app(folder: Path) -> tornado.web.Application:
    (folder / "rules.html").write_text("Feed the owls.\n", encoding="utf-8")
    settings = {"static_path": folder}
    handler = tornado.web.StaticFileHandler
    routes = [(r"/link", LinkHandler)]
    routes += [(r"/(?:view/(?=.))?(|rules\.html)", handler, {"path": folder, "default_filename": "rules.html"})]
    return tornado.web.Application(routes, **settings)


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
