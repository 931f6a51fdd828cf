# A base class with the broadcast; text through json_encode(); greets nobody twice.
"""One room: who comes, what is said, who leaves; each member hears all of it."""

import asyncio
import contextlib

import tornado.escape
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class MemberHandler(tornado.websocket.WebSocketHandler):
    def initialize(self) -> None:
        self.members = self.settings["members"]

    def open(self, *args: str, **kwargs: str) -> None:
        (self.name,) = args
        self.members.add(self)
        self.to_all(type="came")

    def on_message(self, message: str | bytes) -> None:
        self.to_all(type="said", text=message)

    def on_close(self) -> None:
        self.members.remove(self)
        self.to_all(type="left")

    def to_all(self, **event: str) -> None:
        event["name"] = self.name
        sending = tornado.escape.json_encode(event)
        for member in frozenset(self.settings["members"]):
            with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                member.write_message(sending)


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/room/(\w+)", MemberHandler)], members=set())


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
