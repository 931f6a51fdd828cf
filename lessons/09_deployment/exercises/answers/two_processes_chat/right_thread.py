# The blocking client of Redis in a thread, which calls the loop; a pattern instead of a name.
"""A chat for two processes. So far each process writes only to its own members."""

import asyncio
import contextlib

import redis
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line


class MemberHandler(tornado.websocket.WebSocketHandler):
    def open(self) -> None:
        self.settings["members"].add(self)

    async def on_message(self, message):
        if isinstance(message, str):
            await asyncio.to_thread(self.settings["broker"].publish, options.channel, message)

    def on_close(self) -> None:
        self.settings["members"].discard(self)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("redis", default="redis://localhost:6379/0", help="where the broker is")
    define("channel", default="chat", help="what both processes publish and subscribe to")
    parse_command_line()
    broker = redis.Redis.from_url(options.redis)
    app = tornado.web.Application([(r"/chat", MemberHandler)], members=set(), broker=broker)
    loop = asyncio.get_running_loop()

    def tell(text: str) -> None:
        for member in set(app.settings["members"]):
            with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                member.write_message(text)

    def heard(event: dict) -> None:
        loop.call_soon_threadsafe(tell, event["data"].decode())

    pubsub = broker.pubsub(ignore_subscribe_messages=True)
    pubsub.psubscribe(**{options.channel: heard})
    pubsub.run_in_thread(sleep_time=0.1, daemon=True)
    app.listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
