# Awaits each message; the name comes from path_args.
"""One room: who comes, what is said, who leaves; each member hears all of it."""

import asyncio
import contextlib

import tornado.iostream
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class MemberHandler(tornado.websocket.WebSocketHandler):
    def initialize(self) -> None:
        self.members = self.settings["members"]

    async def open(self, name: str) -> None:
        self.members.add(self)
        await self.tell("came")

    async def on_message(self, message: str | bytes) -> None:
        await self.tell("said", text=message)

    def on_close(self) -> None:
        self.members.discard(self)
        asyncio.get_running_loop().create_task(self.tell("left"))

    async def tell(self, type: str, **more: str) -> None:
        event = {"type": type, "name": self.path_args[0]} | more
        for member in tuple(self.members):
            try:
                await member.write_message(event)
            except (tornado.websocket.WebSocketClosedError, tornado.iostream.StreamClosedError):
                self.members.discard(member)


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
