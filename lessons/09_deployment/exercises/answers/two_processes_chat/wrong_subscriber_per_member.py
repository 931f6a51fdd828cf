# Each member subscribes, and each subscription writes to all.
# Told: 'Hello', 'Hello'
# Told: on_message(): only publish. What is said comes back to this process too, fr
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
        self.task = asyncio.create_task(self.listen())

    async def listen(self) -> None:
        async with self.settings["broker"].pubsub() as pubsub:
            await pubsub.subscribe(options.channel)
            async for event in pubsub.listen():
                if event["type"] == "message":
                    for member in self.settings["members"].copy():
                        with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                            member.write_message(event["data"])

    async def on_message(self, message: str | bytes) -> None:
        if isinstance(message, str):
            await self.settings["broker"].publish(options.channel, message)

    def on_close(self) -> None:
        self.settings["members"].discard(self)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("redis", default="redis://localhost:6379/0", help="where the broker is")
    define("channel", default="chat", help="what both processes publish and subscribe to")
    parse_command_line()
    members = set()
    broker = redis.asyncio.from_url(options.redis, decode_responses=True)
    app = tornado.web.Application([(r"/chat", MemberHandler)], members=members, broker=broker)
    app.listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
