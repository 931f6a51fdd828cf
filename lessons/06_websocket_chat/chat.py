"""A chat: many rooms, checked frames, bounded memory, and a page that reconnects by itself.

Run it:  python3 learn.py run 06/chat
"""

import asyncio
import contextlib
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import tornado.web
import tornado.websocket
from tornado.iostream import StreamBufferFullError
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
ROOM = r"[a-z0-9-]{1,30}"  # the name of a room
MAX_BYTES = 16 * 1024  # of one incoming frame
MAX_TEXT = 500  # characters of one message
MAX_UNSENT = 256 * 1024  # bytes that may wait for one member
MAX_NAME = 20  # characters


class Room:
    def __init__(self) -> None:
        self.members: set[MemberHandler] = set()

    def say(self, event: dict[str, Any]) -> None:
        text = json.dumps(event)  # once for all members
        for member in self.members.copy():
            member.hear(text)

    def names(self) -> list[str]:
        return sorted(member.name for member in self.members)


class MemberHandler(tornado.websocket.WebSocketHandler):
    def initialize(self, rooms: dict[str, Room]) -> None:
        self.rooms = rooms

    def prepare(self) -> None:
        # Anybody can use any name here. login.py shows how to prove a name.
        self.name = self.get_query_argument("name")
        if not 1 <= len(self.name) <= MAX_NAME:
            raise tornado.web.HTTPError(400)

    def open(self, room: str) -> None:
        self.set_nodelay(True)
        self.stream = self.ws_connection.stream
        self.stream.max_write_buffer_size = MAX_UNSENT
        self.room_name, self.room = room, self.rooms.setdefault(room, Room())
        self.room.members.add(self)
        self.room.say({"type": "joined", "name": self.name, "members": self.room.names()})

    def on_message(self, message: str | bytes) -> None:
        try:
            frame = json.loads(message)
        except (ValueError, RecursionError):
            frame = None
        match frame:
            case {"type": "say", "text": str(text)} if 0 < len(text.strip()) <= MAX_TEXT:
                self.room.say({"type": "message", "from": self.name, "text": text})
            case _:  # an exception would close the connection
                reason = f"Send a type, say, and a text of 1 to {MAX_TEXT} characters."
                self.hear(json.dumps({"type": "error", "reason": reason}))

    def hear(self, text: str) -> None:
        """Send a text, unless this member is gone or too slow."""
        try:
            self.write_message(text).add_done_callback(look_at)
        except tornado.websocket.WebSocketClosedError:
            self.room.members.discard(self)  # its on_close() will run later
        except StreamBufferFullError:
            self.room.members.discard(self)
            self.stream.max_write_buffer_size = None  # or the close frame would not fit
            self.close(4008, "reading too slowly")

    def on_close(self) -> None:
        self.room.members.discard(self)
        self.room.say({"type": "left", "name": self.name, "members": self.room.names()})
        if not self.room.members and self.rooms.get(self.room_name) is self.room:
            del self.rooms[self.room_name]


def look_at(sent: asyncio.Future[None]) -> None:
    """Retrieve the result, or asyncio reports an error for each unsent frame."""
    if not sent.cancelled():
        sent.exception()


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("rooms.html", rooms=self.settings["rooms"], max_name=MAX_NAME)


class RoomHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        room, name = self.get_query_argument("room"), self.get_query_argument("name")
        if not re.fullmatch(ROOM, room) or not 1 <= len(name) <= MAX_NAME:
            raise tornado.web.HTTPError(400)
        path = f"/socket/{room}?{urlencode({'name': name})}"
        self.render("chat.html", path=path, room=room, name=name, max_text=MAX_TEXT)


def make_app() -> tornado.web.Application:
    """A room is made when somebody enters, and deleted when the last member leaves."""
    rooms: dict[str, Room] = {}
    return tornado.web.Application(
        [
            (r"/", HomeHandler),
            (r"/room", RoomHandler),
            (rf"/socket/({ROOM})", MemberHandler, {"rooms": rooms}),
        ],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        websocket_max_message_size=MAX_BYTES,
        websocket_ping_interval=20,
        rooms=rooms,
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
