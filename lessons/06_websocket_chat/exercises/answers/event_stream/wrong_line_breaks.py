# A text with a line break breaks the event.
# Told: received  the event id: '1', data: 'two'
# Told: each line of a text
"""A stream of Server-Sent Events that a browser can resume."""

import asyncio
import contextlib

import tornado.locks
import tornado.web
from tornado.iostream import StreamClosedError
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
    async def get(self) -> None:
        room = self.settings["room"]
        seen = int(self.request.headers.get("Last-Event-ID", "0"))
        self.set_header("Content-Type", "text/event-stream")
        with contextlib.suppress(StreamClosedError):
            while True:
                for text in room.texts[seen:]:
                    seen += 1
                    data = f"data: {text}\n"
                    self.write(f"id: {seen}\n{data}\n")
                await self.flush()
                if seen == len(room.texts):
                    await room.news.wait()


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
