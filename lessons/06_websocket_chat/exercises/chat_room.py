"""One room: every member receives who comes, what is said and who leaves."""

import asyncio
import contextlib

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
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
