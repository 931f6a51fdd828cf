# Awaits, in a method of its own; a logger of its own says who is gone.
"""The chat of an old tutorial: one closed member ends the broadcast, and cuts off who spoke."""

import asyncio
import contextlib
import logging

import tornado.iostream
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


log = logging.getLogger("room")


class MemberHandler(tornado.websocket.WebSocketHandler):
    def open(self) -> None:
        self.settings["members"].add(self)

    async def on_message(self, message):
        self.last = message
        await asyncio.gather(*(self.hand_to(each) for each in tuple(self.settings["members"])))

    async def hand_to(self, member):
        try:
            await member.write_message(self.last)
        except (tornado.websocket.WebSocketClosedError, tornado.iostream.StreamClosedError):
            log.info("a member is gone")
            self.settings["members"] -= {member}

    def on_close(self) -> None:
        self.settings["members"].discard(self)


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/room", MemberHandler)], members=set())


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
