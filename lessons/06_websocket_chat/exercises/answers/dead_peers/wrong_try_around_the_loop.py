# One try around the whole loop: whoever comes after the dead one hears nothing.
# Told: nothing within 0.8 seconds
# Told: inside the loop
"""The chat of an old tutorial: one closed member ends the broadcast, and cuts off who spoke."""

import asyncio
import contextlib

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class MemberHandler(tornado.websocket.WebSocketHandler):
    def open(self) -> None:
        self.settings["members"].add(self)

    def on_message(self, message: str | bytes) -> None:
        try:
            for member in self.settings["members"].copy():
                member.write_message(message)
        except tornado.websocket.WebSocketClosedError:
            pass

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
