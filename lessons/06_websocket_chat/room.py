"""One room: every member hears what one says, and a closed member does not disturb the others.

Run it:  python3 learn.py run 06/room
"""

import asyncio
import contextlib
from pathlib import Path

import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class Room:
    def __init__(self) -> None:
        self.members: set[MemberHandler] = set()

    def say(self, text: str) -> None:
        for member in self.members.copy():  # a copy: the set changes inside the loop
            try:
                member.write_message(text)
            except tornado.websocket.WebSocketClosedError:
                self.members.discard(member)  # its on_close() will run later


class MemberHandler(tornado.websocket.WebSocketHandler):
    # The room comes from make_app(). All applications would share a set on the class.
    def initialize(self, room: Room) -> None:
        self.room = room

    def open(self) -> None:
        self.set_nodelay(True)
        self.room.members.add(self)

    def on_message(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.close(1003, "text only")
        else:
            self.room.say(message)

    def on_close(self) -> None:
        self.room.members.discard(self)


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("console.html", path="/room", examples=["Hello, everybody", "Who is here?"])


def make_app() -> tornado.web.Application:
    """One room at /room; open the page in two windows."""
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/room", MemberHandler, {"room": Room()})],
        template_path=HERE / "templates",
        static_path=HERE / "static",
    )


async def heard(member: tornado.websocket.WebSocketClientConnection) -> str:
    """Return what a member hears up to "Bye", or up to the end of its connection."""
    texts = []
    while (text := await member.read_message()) not in (None, "Bye"):
        texts.append(repr(text))
    end = repr(text) if text else f"closed: {member.close_code} {member.close_reason}"
    return ", ".join([*texts, end])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")

    url = f"ws://localhost:{options.port}/room"
    ada, bob = [await tornado.websocket.websocket_connect(url) for _ in range(2)]
    ada.write_message(b"\x00", binary=True)  # the server closes her connection ...
    bob.write_message("Hello")  # ... and Bob speaks before she has answered
    bob.write_message("Bye")
    print("Ada hears", await heard(ada))
    print("Bob hears", await heard(bob))
    ada.close()
    bob.close()

    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
