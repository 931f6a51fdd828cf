"""A chat for two processes. So far each process writes only to its own members."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class MemberHandler(tornado.websocket.WebSocketHandler):
    def open(self) -> None:
        self.settings["members"].add(self)

    def on_message(self, message: str | bytes) -> None:
        # TODO: only publish it to the channel. A task that subscribes writes to all members here.
        for member in self.settings["members"].copy():
            member.write_message(message)

    def on_close(self) -> None:
        self.settings["members"].discard(self)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("redis", default="redis://localhost:6379/0", help="where the broker is")
    define("channel", default="chat", help="what both processes publish and subscribe to")
    parse_command_line()
    app = tornado.web.Application([(r"/chat", MemberHandler)], members=set())
    app.listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
