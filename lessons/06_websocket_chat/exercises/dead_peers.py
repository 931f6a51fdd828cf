"""The chat of an old tutorial: one closed member ends the broadcast, and cuts off who spoke."""

import asyncio
import contextlib
import signal

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class MemberHandler(tornado.websocket.WebSocketHandler):
    def open(self) -> None:
        self.settings["members"].add(self)

    def on_message(self, message: str | bytes) -> None:
        # TODO: a member who was closed must not keep the others from hearing this.
        for member in self.settings["members"]:
            member.write_message(message)

    def on_close(self) -> None:
        self.settings["members"].remove(self)


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/room", MemberHandler)], members=set())


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port)
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # as Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
