"""People at a socket, and the bytes of a socket."""

import struct
from typing import Any

import sqlalchemy as sa

from capstone_chat.storage.tables import events
from tests.capstone.chat_case import ChatCase, Line


class SocketCase(ChatCase):
    """A group of anna's that bob has joined; mallory has not."""

    options = {"send_burst": 2000}  # noqa: RUF012

    def setUp(self) -> None:
        super().setUp()
        self.io_loop.run_sync(self.gather)

    async def gather(self) -> None:
        self.anna = await self.person("anna", "Anna")
        self.bob = await self.person("bob", "Bob")
        self.mallory = await self.person("mallory")
        self.conv = await self.anna.group()
        await self.bob.join(self.conv)

    async def stored(self) -> list[Any]:
        """The messages of the group as they lie in the database."""
        query = sa.select(events.c.seq, events.c.cid, events.c.text, events.c.user_id)
        query = query.where(events.c.type == "message").order_by(events.c.seq)
        return list(await self.chat.database.read(lambda c: c.execute(query).all()))

    async def quiet(self, *lines: Line) -> None:
        """Let everything that is on its way arrive: after the pong nothing from before comes."""
        for line in lines:
            await line.say(type="ping")
            await line.receive("pong")


def client_frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """A frame as a client sends it: masked, here with zeros."""
    first = opcode | (0x80 if final else 0)
    if len(payload) < 126:
        head = struct.pack("!BB", first, 0x80 | len(payload))
    else:
        head = struct.pack("!BBQ", first, 0xFF, len(payload))
    return head + bytes(4) + payload


def close_code(data: bytes) -> int | None:
    """Read frames of a server up to its close frame and return the code in that."""
    place = 0
    while place < len(data):
        opcode, length = data[place] & 0x0F, data[place + 1]
        place += 2
        if length == 126:
            (length,) = struct.unpack_from("!H", data, place)
            place += 2
        elif length == 127:
            (length,) = struct.unpack_from("!Q", data, place)
            place += 8
        if opcode == 0x8:
            return int(struct.unpack_from("!H", data, place)[0])
        place += length
    return None
