# __init__() and utf8(); the status goes out as bytes of JSON in a text frame.
"""Echo: text as text, bytes as bytes; and "status" answers {"frames": 3, "bytes": 17} in JSON."""

import asyncio
import contextlib

import tornado.escape
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class EchoHandler(tornado.websocket.WebSocketHandler):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.echoed_frames = 0
        self.echoed_bytes = 0

    def on_message(self, message):
        if message == "status":
            answer = {"frames": self.echoed_frames, "bytes": self.echoed_bytes}
            self.write_message(tornado.escape.utf8(tornado.escape.json_encode(answer)))
        else:
            self.echoed_frames += 1
            self.echoed_bytes += len(tornado.escape.utf8(message))
            self.write_message(message, binary=not isinstance(message, str))


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
