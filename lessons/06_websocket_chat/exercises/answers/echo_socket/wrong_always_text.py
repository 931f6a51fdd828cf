# Bytes come back as text.
# Told: received  text  'hello'
# Told: must be true if
"""Echo: text as text, bytes as bytes; and "status" answers {"frames": 3, "bytes": 17} in JSON."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class EchoHandler(tornado.websocket.WebSocketHandler):
    def open(self) -> None:
        self.frames = self.bytes = 0

    def on_message(self, message: str | bytes) -> None:
        if message == "status":
            self.write_message({"frames": self.frames, "bytes": self.bytes})
            return
        self.frames += 1
        self.bytes += len(message.encode() if isinstance(message, str) else message)
        self.write_message(message)


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
