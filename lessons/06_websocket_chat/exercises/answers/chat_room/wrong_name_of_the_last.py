# The name is kept in the settings: everybody speaks as the last one who came.
# Told: "name": "Bob", "text": "hello"
"""One room: who comes, what is said, who leaves; each member hears all of it."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class MemberHandler(tornado.websocket.WebSocketHandler):
    def initialize(self) -> None:
        self.members = self.settings["members"]

    def open(self, name: str) -> None:
        self.settings["name"] = name
        self.members.add(self)
        self.say({"type": "came", "name": name})

    def on_message(self, message: str | bytes) -> None:
        self.say({"type": "said", "name": self.settings["name"], "text": message})

    def on_close(self) -> None:
        self.members.discard(self)
        self.say({"type": "left", "name": self.settings["name"]})

    def say(self, event: dict) -> None:
        for member in self.members.copy():
            with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                member.write_message(event)


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
