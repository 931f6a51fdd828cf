"""Bodies in parts: send a response while it is being made, receive an upload without keeping it.

Run it:  python3 learn.py run 05/streaming
"""

import asyncio
import contextlib
import hashlib

import tornado.web
from tornado.iostream import StreamClosedError
from tornado.options import define, options, parse_command_line


class RowsHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        for number in range(1, 6):
            self.write(f"row {number}\n")
            try:
                # Waits until the network has accepted it, so the reader sets the pace.
                await self.flush()
            except StreamClosedError:  # the client has closed the connection
                return
            await asyncio.sleep(0.2)


@tornado.web.stream_request_body
class UploadHandler(tornado.web.RequestHandler):
    """data_received() gets the body in parts; self.request.body stays empty."""

    def prepare(self) -> None:
        self.request.connection.set_max_body_size(10**9)  # bytes, for this request only
        self.pieces, self.bytes, self.digest = 0, 0, hashlib.sha256()

    async def data_received(self, chunk: bytes) -> None:
        self.pieces += 1
        self.bytes += len(chunk)
        self.digest.update(chunk)  # while this method awaits, the client has to wait, too

    def post(self) -> None:
        self.write({"bytes": self.bytes, "sha256": self.digest.hexdigest(), "pieces": self.pieces})


def make_app() -> tornado.web.Application:
    """GET / sends five rows, one by one; POST /upload takes a body of any size."""
    return tornado.web.Application([(r"/", RowsHandler), (r"/upload", UploadHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
