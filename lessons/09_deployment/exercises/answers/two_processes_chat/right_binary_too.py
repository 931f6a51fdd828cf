# Binary frames are relayed as well: JSON with base64 in the channel.
"""A chat for two processes. So far each process writes only to its own members."""

import asyncio
import base64
import contextlib
import json

import redis.asyncio
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class MemberHandler(tornado.websocket.WebSocketHandler):
    def open(self) -> None:
        self.settings["members"].add(self)

    async def on_message(self, message):
        if isinstance(message, bytes):
            event = {"binary": base64.b64encode(message).decode()}
        else:
            event = {"text": message}
        await self.settings["broker"].publish(options.channel, json.dumps(event))

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
    async with broker.pubsub() as pubsub:
        await pubsub.subscribe(options.channel)
        async for event in pubsub.listen():
            if event["type"] == "message":
                said = json.loads(event["data"])
                for member in tuple(members):
                    with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                        if "binary" in said:
                            member.write_message(base64.b64decode(said["binary"]), binary=True)
                        else:
                            member.write_message(said["text"])


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
