"""A peer that does not read: how much memory its messages take, and two ways to limit that.

Run it:  python3 learn.py run 06/slow_reader
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
import tornado.websocket
from tornado.iostream import StreamBufferFullError
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
CHUNK = bytes(64 * 1024)
COUNT = 500  # chunks that each feed sends
LIMIT = 1024 * 1024  # bytes that BoundedHandler lets wait
MIB = 1024 * 1024


class FeedHandler(tornado.websocket.WebSocketHandler):
    """Counts the chunks that were written, and the bytes that the client has not read yet."""

    def initialize(self, feeds: dict[str, "FeedHandler"]) -> None:
        self.written = self.waiting = 0
        feeds[self.request.path] = self

    def send(self) -> asyncio.Future[None]:
        future = self.write_message(CHUNK, binary=True)
        self.written += 1
        self.waiting += len(CHUNK)
        future.add_done_callback(self.sent)
        return future

    def sent(self, future: asyncio.Future[None]) -> None:
        self.waiting -= len(CHUNK)
        if not future.cancelled():
            future.exception()  # without this, asyncio reports an error for each unsent frame


class UnboundedHandler(FeedHandler):
    def on_message(self, message: str | bytes) -> None:
        for _ in range(COUNT):
            self.send()  # never waits and never fails: Tornado keeps what the peer does not read
        self.close()


class AwaitedHandler(FeedHandler):
    """For one peer: write the next message when the last one has been sent."""

    async def on_message(self, message: str | bytes) -> None:
        with contextlib.suppress(tornado.websocket.WebSocketClosedError):
            for _ in range(COUNT):
                await self.send()
            self.close()


class BoundedHandler(FeedHandler):
    """For a room, where no member may wait for the slowest: close one who is too slow."""

    def open(self) -> None:
        self.stream = self.ws_connection.stream
        self.stream.max_write_buffer_size = LIMIT

    def on_message(self, message: str | bytes) -> None:
        try:
            for _ in range(COUNT):
                self.send()
            self.close()
        except StreamBufferFullError:
            self.stream.max_write_buffer_size = None  # or the close frame would not fit
            self.close(4008, "reading too slowly")


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("feeds.html", feeds=self.settings["feeds"], mib=MIB)


def make_app() -> tornado.web.Application:
    """Three feeds that begin when a message comes; / shows their state."""
    feeds: dict[str, FeedHandler] = {}
    return tornado.web.Application(
        [
            (r"/", PageHandler),
            (r"/unbounded", UnboundedHandler, {"feeds": feeds}),
            (r"/awaited", AwaitedHandler, {"feeds": feeds}),
            (r"/bounded", BoundedHandler, {"feeds": feeds}),
        ],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        feeds=feeds,
    )


async def read_late(url: str, feed: str, feeds: dict[str, FeedHandler]) -> None:
    """Begin a feed, look at it before anything is read, and only then read."""
    reader = await tornado.websocket.websocket_connect(f"{url}/{feed}")
    reader.write_message("go")
    await asyncio.sleep(0.3)
    written, waiting = feeds[f"/{feed}"].written, feeds[f"/{feed}"].waiting / MIB
    received = 0
    while await reader.read_message() is not None:
        received += 1
    reader.close()
    ending = f"{reader.close_code or ''} {reader.close_reason or ''}".strip()
    print(f"{feed:<9}  {written:>7}  {waiting:>7.1f} MiB  {received:>8}  {ending}".rstrip())


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    app = make_app()
    app.listen(options.port, "localhost")
    print("feed       written      waiting  received  close")
    for feed in ["unbounded", "awaited", "bounded"]:
        await read_late(f"ws://localhost:{options.port}", feed, app.settings["feeds"])
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
