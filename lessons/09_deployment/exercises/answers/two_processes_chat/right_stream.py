# A stream of Redis instead of a channel: XADD and XREAD.
"""A chat for two processes. So far each process writes only to its own members."""

import asyncio
import contextlib

import redis.asyncio
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class MemberHandler(tornado.websocket.WebSocketHandler):
    def open(self) -> None:
        self.settings["members"].add(self)

    async def on_message(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            return
        await self.settings["broker"].xadd(
            f"{options.channel}:stream", {"text": message}, maxlen=100
        )

    def on_close(self) -> None:
        self.settings["members"].discard(self)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("redis", default="redis://localhost:6379/0", help="where the broker is")
    define("channel", default="chat", help="what both processes publish and subscribe to")
    parse_command_line()
    broker = redis.asyncio.from_url(options.redis, decode_responses=True)
    key = f"{options.channel}:stream"
    newest = await broker.xrevrange(key, count=1)
    last = newest[0][0] if newest else "0"
    app = tornado.web.Application([(r"/chat", MemberHandler)], members=set(), broker=broker)
    app.listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    while True:
        for _, entries in await broker.xread({key: last}, block=1000) or []:
            for last, fields in entries:
                for member in app.settings["members"].copy():
                    with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                        member.write_message(fields["text"])


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
