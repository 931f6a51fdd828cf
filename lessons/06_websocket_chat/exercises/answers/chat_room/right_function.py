# A function of the module, JSON made once, try and except.
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

    def open(self, name):
        self.name = name
        self.members.add(self)
        broadcast(self.members, type="came", name=name)

    def on_message(self, message):
        broadcast(self.members, type="said", name=self.name, text=message)

    def on_close(self):
        if self in self.members:
            self.members.remove(self)
        broadcast(self.members, type="left", name=self.name)


def broadcast(members, **event):
    text = json.dumps(event)
    for member in list(members):
        try:
            member.write_message(text)
        except tornado.websocket.WebSocketClosedError:
            pass


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
