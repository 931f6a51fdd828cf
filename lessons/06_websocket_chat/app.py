"""The smallest WebSocket: an echo, which sends each frame back, text as text and bytes as bytes.

Run it:  python3 learn.py run 06
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class EchoHandler(tornado.websocket.WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, binary=isinstance(message, bytes))


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("console.html", path="/echo", examples=["Hello", "Grüß dich"])


def make_app() -> tornado.web.Application:
    """A page at / and the socket that it opens, at /echo."""
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/echo", EchoHandler)],
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
