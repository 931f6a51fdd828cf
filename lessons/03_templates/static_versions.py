"""static_url: an address with a version, which does not always fit the file.

Run it:  python3 learn.py run 03/static_versions
Also:    --static_hash_cache=false reads the file each time
"""

import asyncio
import contextlib
import hashlib
import tempfile
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line


class NoticeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        file = Path(self.settings["static_path"], "notice.txt")
        digest = hashlib.sha512(file.read_bytes()).hexdigest()
        link = self.static_url("notice.txt")
        self.write({"link": link[:30] + "...", "fits the file": link.endswith(digest)})

    def post(self) -> None:
        Path(self.settings["static_path"], "notice.txt").write_bytes(self.request.body)
        self.write("The file has changed.\n")


class LinksHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        name = "notice.txt"  # a name of our own, never one that comes from a client
        links = [
            self.static_url(name, include_version=False),
            self.static_url(name, include_version=False, include_host=True),
            self.static_url("missing.txt"),  # no file, no v
        ]
        self.write({"links": links})


def make_app(folder: Path, cache: bool = True, prefix: str = "/static/") -> tornado.web.Application:
    """Make an application that serves the folder with a notice.txt; / shows its version."""
    (folder / "notice.txt").write_text("Open all year\n", encoding="utf-8")
    return tornado.web.Application(
        [(r"/", NoticeHandler), (r"/links", LinksHandler)],
        static_path=str(folder),
        static_url_prefix=prefix,
        static_hash_cache=cache,
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("static_hash_cache", default=True, help="read each file once, or for every page")
    define("static_url_prefix", default="/static/", help="where the files are served")
    parse_command_line()
    with tempfile.TemporaryDirectory() as folder:
        make_app(Path(folder), options.static_hash_cache, options.static_url_prefix).listen(
            options.port, "localhost"
        )
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
