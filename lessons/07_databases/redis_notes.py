"""Redis: notes by name, notes that expire, and news for every process.

Run it:  python3 learn.py run 07/redis_notes
         and a second process:  python3 learn.py run 07/redis_notes --port=8889
         REDIS_URL in the environment, or --redis=..., names another server
Needs:   redis
"""

import asyncio
import contextlib
import logging
import os
from collections import deque
from pathlib import Path

import redis.asyncio
import tornado.web
from redis.exceptions import RedisError
from store.missing import give_up
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
PREFIX = "lesson07"  # of the keys and the channel: other programs use this server too
PATIENCE = 2  # seconds
MOST = 64 * 1024  # bytes of a note
DAY = 24 * 60 * 60


class NoteHandler(tornado.web.RequestHandler):
    def initialize(self, store: redis.asyncio.Redis, prefix: str) -> None:
        self.store, self.prefix = store, prefix

    async def get(self, name: str) -> None:
        note = await self.store.get(f"{self.prefix}:{name}")
        if note is None:  # not "if not note": an empty note is a note
            raise tornado.web.HTTPError(404, reason="No such note")
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write(note)  # bytes, as they were stored

    async def post(self, name: str) -> None:
        if len(self.request.body) > MOST:
            raise tornado.web.HTTPError(413)
        key, seconds = f"{self.prefix}:{name}", self.seconds()
        await self.store.set(key, self.request.body, ex=seconds)  # deleted after so many seconds
        await self.store.publish(self.prefix, name)  # to every process that has subscribed
        self.set_status(204)

    def seconds(self) -> int:
        text = self.get_query_argument("seconds", str(DAY))
        if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= DAY):
            raise tornado.web.HTTPError(400, reason="seconds is a number, a day at most")
        return int(text)


class NewsHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"news": list(self.settings["news"])})


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("notes.html")


async def follow(store: redis.asyncio.Redis, prefix: str, news: deque[str]) -> None:
    """Receive what any process publishes, until cancelled."""
    task = asyncio.current_task()
    while task and not task.cancelling():  # redis may swallow a cancellation while it connects
        try:
            async with store.pubsub() as channel:
                await channel.subscribe(prefix)
                if task.cancelling():
                    return
                async for message in channel.listen():
                    if message["type"] == "message":  # the first one reports the subscription
                        news.append(message["data"].decode())
        except RedisError as error:  # what is published meanwhile is lost: Redis keeps no copy
            logging.warning("no news: %s", error)
            await asyncio.sleep(1)


def make_app(store: redis.asyncio.Redis, prefix: str = PREFIX) -> tornado.web.Application:
    """POST /note/NAME stores its body, GET returns it; /news lists what any process changed."""
    route = {"store": store, "prefix": prefix}
    return tornado.web.Application(
        [
            (r"/", PageHandler),
            (r"/news", NewsHandler),
            (r"/note/([\w-]{1,40})", NoteHandler, route),
        ],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        cross_origin_protection=True,
        news=deque(maxlen=100),
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("redis", default=os.environ.get("REDIS_URL", "redis://localhost:6379/0"), help="where")
    parse_command_line()
    async with redis.asyncio.from_url(options.redis, socket_connect_timeout=PATIENCE) as store:
        try:
            await store.ping()
        except RedisError as error:
            give_up(options.redis, "--redis=redis://... or REDIS_URL", error)
        app = make_app(store)
        app.listen(options.port, "localhost")
        following = asyncio.create_task(follow(store, PREFIX, app.settings["news"]))
        print(f"Open http://localhost:{options.port}")
        await following


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
