# Keeps the size of each frame; JSON is made with json.dumps().
"""Echo: text as text, bytes as bytes; and "status" answers {"frames": 3, "bytes": 17} in JSON."""

import asyncio
import contextlib
import json

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class EchoHandler(tornado.websocket.WebSocketHandler):
    def initialize(self):
        self.sizes = []

    def on_message(self, message):
        if isinstance(message, bytes):
            return self.echo(message, message)
        if message != "status":
            return self.echo(message, message.encode())
        status = {"frames": len(self.sizes), "bytes": sum(self.sizes)}
        self.write_message(json.dumps(status, indent=2) + "\n")

    def echo(self, message, data):
        self.write_message(message, binary=message is data)
        self.sizes.append(len(data))


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
