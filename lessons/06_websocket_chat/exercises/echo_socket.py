"""Echo: text as text, bytes as bytes; and "status" answers {"frames": 3, "bytes": 17} in JSON."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class EchoHandler(tornado.websocket.WebSocketHandler):
    # TODO 1: send each frame back as what it came as.
    # TODO 2: to the text "status", answer how many frames and bytes this connection echoed so far.
    def on_message(self, message: str | bytes) -> None:
        self.write_message("TODO")


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/echo", EchoHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
