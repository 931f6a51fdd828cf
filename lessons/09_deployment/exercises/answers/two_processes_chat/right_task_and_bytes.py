# A task beside the Event, get_message(), bytes that are decoded; the members are on the class.
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

    async def on_message(self, message):
        if not isinstance(message, bytes):
            await self.application.broker.publish(options.channel, message.encode())

    def on_close(self) -> None:
        self.settings["members"].discard(self)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("redis", default="redis://localhost:6379/0", help="where the broker is")
    define("channel", default="chat", help="what both processes publish and subscribe to")
    parse_command_line()
    app = tornado.web.Application([("/chat", MemberHandler)], members=set())
    app.broker = redis.asyncio.Redis.from_url(options.redis)
    pubsub = app.broker.pubsub(ignore_subscribe_messages=True)
    await pubsub.subscribe(options.channel)
    task = asyncio.create_task(relay(pubsub, app.settings["members"]))
    app.listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    try:
        await asyncio.Event().wait()
    finally:
        task.cancel()
        await pubsub.aclose()
        await app.broker.aclose()


async def relay(pubsub, members):
    while True:
        event = await pubsub.get_message(timeout=None)
        if event is None:
            continue
        for member in list(members):
            try:
                member.write_message(event["data"].decode())
            except tornado.websocket.WebSocketClosedError:
                members.discard(member)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
