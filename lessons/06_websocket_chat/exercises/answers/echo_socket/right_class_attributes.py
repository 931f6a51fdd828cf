# The counts begin as attributes of the class; match decides.
"""Echo: text as text, bytes as bytes; and "status" answers {"frames": 3, "bytes": 17} in JSON."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class EchoHandler(tornado.websocket.WebSocketHandler):
    frames = 0
    bytes = 0

    async def on_message(self, message):
        match message:
            case "status":
                await self.write_message(dict(bytes=self.bytes, frames=self.frames))
            case str():
                self.frames += 1
                self.bytes += len(message.encode("utf-8"))
                await self.write_message(message)
            case _:
                self.frames += 1
                self.bytes += len(message)
                await self.write_message(message, binary=True)


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
