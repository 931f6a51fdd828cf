"""One room: who comes, what is said, who leaves; each member hears all of it."""

import asyncio
import contextlib
import signal

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class MemberHandler(tornado.websocket.WebSocketHandler):
    def initialize(self) -> None:
        self.members = self.settings["members"]

    def open(self, name: str) -> None:
        # TODO: three events, for every member: {"type": "came", "name": "Ada"} here,
        # {"type": "said", "name": "Ada", "text": "hello"}, {"type": "left", "name": "Ada"}.
        self.members.add(self)


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/room/(\w+)", MemberHandler)], members=set())


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
