"""Keep an uploaded file: its bytes, a name that the server chooses, a limit of its size.

Run it:  python3 learn.py run 01/uploads
"""

import asyncio
import contextlib
import secrets
import tempfile
from pathlib import Path

import tornado.web
from tornado.options import define, options, parse_command_line

MAX_BYTES = 1_000_000

FORM = """<!doctype html>
<title>Upload</title>
<form method="post" enctype="multipart/form-data">
  <input type="file" name="picture" required> <button>Send</button>
</form>
"""


class UploadHandler(tornado.web.RequestHandler):
    def initialize(self, folder: Path) -> None:
        self.folder = folder

    def get(self) -> None:
        self.write(FORM)

    def post(self) -> None:
        if "picture" not in self.request.files:
            raise tornado.web.HTTPError(400, reason="No file in the field picture")
        upload = self.request.files["picture"][0]  # a field may hold many files
        # The client chooses upload.filename, and it may be ../../anything: never use it as a path.
        name = secrets.token_hex(8)
        (self.folder / name).write_bytes(upload.body)
        self.write({"kept as": name, "bytes": len(upload.body), "type": upload.content_type})


def make_app(folder: Path) -> tornado.web.Application:
    """Make an application that accepts uploads at / and keeps them in a folder."""
    return tornado.web.Application([(r"/", UploadHandler, {"folder": folder})])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    with tempfile.TemporaryDirectory() as folder:
        make_app(Path(folder)).listen(options.port, "localhost", max_body_size=MAX_BYTES)
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
