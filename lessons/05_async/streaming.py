"""Bodies in pieces: send while it is being made, receive without keeping it in memory.

Run it:  python3 learn.py run 05/streaming
"""

import asyncio
import contextlib
import hashlib
import signal

import tornado.web
from tornado.iostream import StreamClosedError
from tornado.options import define, options, parse_command_line


class RowsHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        for number in range(1, 6):
            self.write(f"row {number}\n")
            try:
                await self.flush()  # returns when the network took it: the reader sets the pace
            except StreamClosedError:  # the reader left
                return
            await asyncio.sleep(0.2)


@tornado.web.stream_request_body
class UploadHandler(tornado.web.RequestHandler):
    """data_received() gets the body piece by piece; self.request.body stays empty."""

    def prepare(self) -> None:
        self.request.connection.set_max_body_size(10**9)  # bytes, for this request only
        self.pieces, self.bytes, self.digest = 0, 0, hashlib.sha256()

    async def data_received(self, chunk: bytes) -> None:
        self.pieces += 1
        self.bytes += len(chunk)
        self.digest.update(chunk)  # if this awaited, the sender would have to wait too

    def post(self) -> None:
        self.write({"bytes": self.bytes, "sha256": self.digest.hexdigest(), "pieces": self.pieces})


def make_app() -> tornado.web.Application:
    """GET / sends five rows, one by one; POST /upload takes a body of any size."""
    return tornado.web.Application([(r"/", RowsHandler), (r"/upload", UploadHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
