# A Counter in prepare(), and a base class that tells text from bytes.
"""Echo: text as text, bytes as bytes; and "status" answers {"frames": 3, "bytes": 17} in JSON."""

import asyncio
import collections
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class EchoHandler(tornado.websocket.WebSocketHandler):
    pass


class CountingHandler(EchoHandler):
    def prepare(self) -> None:
        self.counts = collections.Counter(frames=0, bytes=0)

    def on_message(self, message: str | bytes) -> None:
        binary = type(message) is bytes
        if not binary and message == "status":
            self.write_message(dict(self.counts))
        else:
            size = len(message) if binary else len(message.encode())
            self.counts.update(frames=1, bytes=size)
            self.write_message(message, binary)


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/echo", CountingHandler)])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
