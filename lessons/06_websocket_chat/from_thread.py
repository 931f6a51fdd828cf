"""A thread that has news for the sockets: it hands each message to the event loop.

Run it:  python3 learn.py run 06/from_thread
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class Room:
    def __init__(self) -> None:
        self.members: set[MemberHandler] = set()

    def say(self, text: str) -> None:
        """Write to all members. Call this only in the thread of the event loop."""
        for member in self.members.copy():
            with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                member.write_message(text)


class MemberHandler(tornado.websocket.WebSocketHandler):
    def initialize(self, room: Room) -> None:
        self.room = room

    def open(self) -> None:
        self.room.members.add(self)

    def on_message(self, message: str | bytes) -> None:
        self.write_message("This room only reports the temperature")

    def on_close(self) -> None:
        self.room.members.discard(self)


def measure(
    loop: asyncio.AbstractEventLoop, say: Callable[[str], None], stop: threading.Event
) -> None:
    """Report a temperature every second, until stop is set. This runs in a thread of its own."""
    degrees = 20
    while not stop.is_set():
        text = f"{degrees} degrees"
        loop.call_soon_threadsafe(say, text)  # the event loop calls say(text) in its own thread
        degrees += 1
        stop.wait(1)  # stands for a library that waits for a sensor


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("console.html", path="/room", examples=["Hello"])


def make_app(room: Room) -> tornado.web.Application:
    """Serve the room at /room."""
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/room", MemberHandler, {"room": room})],
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    room, stop = Room(), threading.Event()
    make_app(room).listen(options.port, "localhost")

    member = await tornado.websocket.websocket_connect(f"ws://localhost:{options.port}/room")
    arguments = (asyncio.get_running_loop(), room.say, stop)
    thread = threading.Thread(target=measure, args=arguments, daemon=True)
    thread.start()
    try:
        text = await asyncio.wait_for(member.read_message(), timeout=2)
    except TimeoutError:
        text = "nothing"
    member.close()
    print("The member hears:", text)

    print(f"Open http://localhost:{options.port}")
    try:
        await asyncio.Event().wait()
    finally:
        stop.set()  # before the event loop ends


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
