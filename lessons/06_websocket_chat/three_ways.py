"""The same room three ways: a WebSocket, Server-Sent Events, and long polling.

Run it:  python3 learn.py run 06/three_ways
"""

import asyncio
import contextlib
import json
from collections import deque
from datetime import timedelta
from pathlib import Path

import tornado.locks
import tornado.web
import tornado.websocket
from tornado.iostream import StreamClosedError
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
PATIENCE = timedelta(seconds=25)  # many proxies close a connection that is idle for longer


class Room:
    """The newest messages, with numbers, so that a client can say which one it has seen last."""

    def __init__(self) -> None:
        self.last = 0
        self.messages: deque[dict] = deque(maxlen=100)
        self.news = tornado.locks.Condition()
        self.sockets: set[SocketHandler] = set()

    def say(self, text: str) -> None:
        self.last += 1
        message = {"number": self.last, "text": text}
        self.messages.append(message)
        self.news.notify_all()  # wakes the requests that wait for news
        for socket in self.sockets.copy():
            with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                socket.write_message(message)

    def after(self, number: int) -> list[dict]:
        return [message for message in self.messages if message["number"] > number]


class RoomHandler(tornado.web.RequestHandler):
    def initialize(self, room: Room) -> None:
        self.room = room
        self.waiting: asyncio.Future | None = None

    def seen(self, text: str) -> int:
        """Return the number of the last message that the client has seen."""
        if not (text.isascii() and text.isdigit()):
            raise tornado.web.HTTPError(400, reason="Not the number of a message")
        return int(text)

    async def news(self, number: int) -> list[dict]:
        """Return the messages after a number; if there are none, wait for the next one."""
        if not self.room.after(number):
            self.waiting = self.room.news.wait(PATIENCE)
            await self.waiting
        return self.room.after(number)

    def on_connection_close(self) -> None:
        if self.waiting:
            self.waiting.cancel()  # the client has gone: wait for nothing


class SayHandler(RoomHandler):
    def post(self) -> None:
        self.room.say(self.get_body_argument("text")[:1000])
        self.set_status(204)


class PollHandler(RoomHandler):
    async def get(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            messages = await self.news(self.seen(self.get_query_argument("after", "0")))
            self.set_header("Cache-Control", "no-store")
            self.write({"messages": messages})  # empty after PATIENCE: the client asks again


class EventsHandler(RoomHandler):
    async def get(self) -> None:
        # A browser that connects again sends the id of the last event that it has received.
        number = self.seen(self.request.headers.get("Last-Event-ID", "0"))
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        with contextlib.suppress(StreamClosedError, asyncio.CancelledError):
            while True:
                await self.flush()  # sends what was written; the response does not end
                messages = await self.news(number)
                for message in messages:
                    number = message["number"]
                    self.write(f"id: {number}\ndata: {json.dumps(message)}\n\n")
                if not messages:
                    self.write(": nothing new\n\n")  # a comment, which the browser ignores


class SocketHandler(tornado.websocket.WebSocketHandler, RoomHandler):
    def prepare(self) -> None:
        self.number = self.seen(self.get_query_argument("after", "0"))  # 400 before the upgrade

    def open(self) -> None:
        for message in self.room.after(self.number):
            self.write_message(message)
        self.room.sockets.add(self)

    def on_message(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self.room.say(message[:1000])

    def on_close(self) -> None:
        self.room.sockets.discard(self)


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("three_ways.html")


def make_app(room: Room | None = None) -> tornado.web.Application:
    """Serve one room: /socket is a WebSocket, /events a stream of events, /poll waits for news."""
    route = {"room": room or Room()}
    return tornado.web.Application(
        [
            (r"/", PageHandler),
            (r"/say", SayHandler, route),
            (r"/poll", PollHandler, route),
            (r"/events", EventsHandler, route),
            (r"/socket", SocketHandler, route),
        ],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        cross_origin_protection=True,  # pages of other sites cannot send to /say (lesson 04)
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
