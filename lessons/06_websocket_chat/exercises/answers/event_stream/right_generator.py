# An asynchronous generator; the id stands behind the data.
"""A stream of Server-Sent Events that a browser can resume."""

import asyncio
import contextlib

import datetime

import tornado.locks
import tornado.web
from tornado.options import define, options, parse_command_line


class Room:
    def __init__(self) -> None:
        self.texts: list[str] = []  # the first text has the number 1
        self.news = tornado.locks.Condition()

    def say(self, text: str) -> None:
        self.texts.append(text)
        self.news.notify_all()


class SayHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        self.settings["room"].say(self.get_body_argument("text"))


class EventHandler(tornado.web.RequestHandler):
    async def numbered(self, seen):
        room = self.settings["room"]
        while True:
            while len(room.texts) > seen:
                yield seen + 1, room.texts[seen]
                seen += 1
            await room.news.wait(timeout=datetime.timedelta(seconds=15))

    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        await self.flush()
        async for number, text in self.numbered(int(self.request.headers.get("Last-Event-ID", 0))):
            self.write("data: " + text.replace("\n", "\ndata: ") + f"\nid: {number}\n\n")
            await self.flush()


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/say", SayHandler), (r"/events", EventHandler)], room=Room())


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
