# A class Room keeps the set; the handler only reports to it.
"""One room: who comes, what is said, who leaves; each member hears all of it."""

import asyncio
import contextlib
import json

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class MemberHandler(tornado.websocket.WebSocketHandler):
    def initialize(self) -> None:
        self.members = self.settings["members"]

    def open(self, name: str) -> None:
        self.name = name
        self.room = Room(self.members)
        self.room.enter(self)

    def on_message(self, message: str | bytes) -> None:
        text = message if isinstance(message, str) else message.decode(errors="replace")
        self.room.send({"text": text, "name": self.name, "type": "said"})

    def on_close(self) -> None:
        self.room.leave(self)


class Room:
    def __init__(self, members):
        self.members = members

    def enter(self, member):
        self.members |= {member}
        self.send({"name": member.name, "type": "came"})

    def leave(self, member):
        self.members -= {member}
        self.send({"name": member.name, "type": "left"})

    def send(self, event):
        for member in [each for each in self.members if each.ws_connection]:
            if not member.ws_connection.is_closing():
                member.write_message(json.dumps(event, ensure_ascii=False))


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
