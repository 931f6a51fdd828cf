# Not on close.
# Told: "count": 1
# Told: on_close()
"""Tell everybody who is connected how many they are."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

class CountHandler(tornado.websocket.WebSocketHandler):
    def open(self) -> None:
        self.settings["connections"].add(self)
        self.publish()

    def on_close(self) -> None:
        self.settings["connections"].discard(self)

    def publish(self) -> None:
        connections = self.settings["connections"]
        event = {"type": "online", "count": len(connections)}
        for connection in connections.copy():
            with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                connection.write_message(event)


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/ws", CountHandler)], connections=set())


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
