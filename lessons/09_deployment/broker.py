"""The chat of alone.py with a broker: Redis passes each message on to all processes.

Run it:  python3 learn.py run 09/broker
Needs:  redis
"""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
from pathlib import Path

import redis.asyncio
import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket
from alone import second, talk
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class MemberHandler(tornado.websocket.WebSocketHandler):
    def initialize(self, room: "Room") -> None:
        self.room = room

    def open(self) -> None:
        self.room.members.add(self)

    async def on_message(self, message: str | bytes) -> None:
        if isinstance(message, bytes):  # bytes that are not text would end listen(), for all
            self.close(1003, "text only")
            return
        try:
            await self.room.say(message)
        except redis.RedisError:  # an exception would close the socket
            self.write_message("(nobody heard that: the broker is away)")

    def on_close(self) -> None:
        self.room.members.discard(self)


class Room:
    """The members in this process; a message goes through Redis to those of all processes."""

    def __init__(self, broker: redis.asyncio.Redis, channel: str) -> None:
        self.members: set[MemberHandler] = set()
        self.broker, self.channel = broker, channel
        self.subscribed = asyncio.Event()

    async def say(self, message: str) -> None:
        await self.broker.publish(self.channel, message)  # not to the members here: it comes back

    async def listen(self) -> None:
        """Write each message to the members here; reconnect if the connection is lost."""
        while True:
            with contextlib.suppress(redis.ConnectionError):
                async with self.broker.pubsub() as pubsub:
                    await pubsub.subscribe(self.channel)
                    async for event in pubsub.listen():
                        self.heard(event)
            await asyncio.sleep(0.5)  # messages of this time are lost: Redis keeps none

    def heard(self, event: dict[str, object]) -> None:
        if event["type"] == "subscribe":
            self.subscribed.set()
        elif event["type"] == "message":
            # region here
            for member in self.members.copy():
                with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                    member.write_message(str(event["data"]))
            # endregion


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        examples = ["Hello", "Who hears this?"]
        other = self.settings["other"]
        self.render("room.html", path="/room", examples=examples, process=os.getpid(), other=other)


def make_app(room: Room, other: int = 0) -> tornado.web.Application:
    """One room at /room, with members in all processes."""
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/room", MemberHandler, {"room": room})],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        other=other,
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on; 0 for any that is free")
    define("other", default=0, help="the port of the first process, in the second one")
    define("redis", default="redis://localhost:6379/0", help="the address of the broker")
    define("channel", default="", help="the name of the room; all processes need the same")
    parse_command_line()
    if options.other:
        # Ctrl-C in a terminal reaches both processes, and the first one ends this one by SIGTERM.
        # A second KeyboardInterrupt can stop asyncio.run() in its cleanup, which then never ends.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    channel = options.channel or f"room-{secrets.token_hex(4)}"
    broker = redis.asyncio.from_url(options.redis, decode_responses=True)
    try:
        await broker.ping()
    except redis.ConnectionError as error:
        print(
            f"Redis does not answer at {options.redis} ({error}). Start it: sudo apt install "
            "redis-server, or docker run -p 6379:6379 redis; elsewhere: --redis=redis://HOST:PORT/0",
            file=sys.stderr,
        )
        sys.exit(2)

    room = Room(broker, channel)
    app = make_app(room, options.other)
    [socket] = tornado.netutil.bind_sockets(options.port, "127.0.0.1")
    tornado.httpserver.HTTPServer(app).add_sockets([socket])
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(broker)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        tasks.create_task(room.listen())
        await room.subscribed.wait()
        if not options.other:
            same = [f"--redis={options.redis}", f"--channel={channel}"]
            other = await stack.enter_async_context(second(*same))
            app.settings["other"] = other
            await talk(options.port, other)
        print(f"Open http://localhost:{socket.getsockname()[1]}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    # By default SIGTERM would leave the second process running. Ctrl-C cancels main(); an & in a
    # shell script has SIGINT ignored, which would disable both.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
