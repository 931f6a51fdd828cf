# No space after the colon, lines that end with CR LF, one flush for each event.
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
    def event(self, number, text):
        lines = [f"id:{number}", *("data:" + line for line in text.splitlines() or [""])]
        return "\r\n".join(lines) + "\r\n\r\n"

    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        room = self.settings["room"]
        try:
            number = int(self.request.headers["Last-Event-ID"])
        except (KeyError, ValueError):
            number = 0
        await self.flush()
        try:
            while True:
                while number < len(room.texts):
                    number += 1
                    self.write(self.event(number, room.texts[number - 1]))
                    await self.flush()
                await room.news.wait()
        except StreamClosedError:
            pass


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
