"""Pings: keep an idle connection open, notice a lost one, measure the time of a round trip.

Run it:  python3 learn.py run 06/ping
"""

import asyncio
import contextlib
import os
import time
from pathlib import Path

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class PingHandler(tornado.websocket.WebSocketHandler):
    def open(self) -> None:
        self.set_nodelay(True)  # or a small frame may wait for the next one, some 40 ms
        self.sent: dict[bytes, float] = {}

    def on_message(self, message: str | bytes) -> None:
        token = os.urandom(8)  # the pong brings it back; the browser answers, not your JavaScript
        self.sent[token] = time.perf_counter()
        self.ping(token)

    def on_pong(self, data: bytes) -> None:
        began = self.sent.pop(data, None)  # None: this pong answers one of Tornado's own pings
        if began is not None:
            self.write_message(f"{(time.perf_counter() - began) * 1000:.2f} ms there and back")


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("console.html", path="/ping", examples=["Send a ping"])


def make_app(interval: float = 20.0) -> tornado.web.Application:
    """Ping each peer every interval seconds; close the connection if no pong comes."""
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/ping", PingHandler)],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        websocket_ping_interval=interval,  # many proxies close an idle connection after 60 s
        websocket_ping_timeout=interval / 2,  # seconds; at most the interval
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    client = await tornado.websocket.websocket_connect(f"ws://localhost:{options.port}/ping")
    await client.write_message("now")
    print(await client.read_message())
    client.close()
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
