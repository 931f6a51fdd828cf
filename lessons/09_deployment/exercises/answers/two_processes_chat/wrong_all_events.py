# Each member has a subscription, whose first event, a number, is written too.
# Told: ['1', 'Hello']
# Told: pubsub.listen() also reports that it has subscribed. Write event['data'] on
"""A chat for two processes. So far each process writes only to its own members."""

import asyncio
import contextlib

import redis.asyncio
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class MemberHandler(tornado.websocket.WebSocketHandler):
    async def open(self) -> None:
        self.pubsub = self.settings["broker"].pubsub()
        await self.pubsub.subscribe(options.channel)
        self.task = asyncio.create_task(self.listen())

    async def listen(self) -> None:
        async for event in self.pubsub.listen():
            self.write_message(str(event["data"]))

    async def on_message(self, message: str | bytes) -> None:
        if isinstance(message, str):
            await self.settings["broker"].publish(options.channel, message)

    def on_close(self) -> None:
        self.task.cancel()


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("redis", default="redis://localhost:6379/0", help="where the broker is")
    define("channel", default="chat", help="what both processes publish and subscribe to")
    parse_command_line()
    app = tornado.web.Application([(r"/chat", MemberHandler)], broker=redis.asyncio.from_url(options.redis, decode_responses=True))
    app.listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
