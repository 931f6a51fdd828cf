"""People at a socket."""

from typing import Any

import sqlalchemy as sa

from capstone_chat.storage.tables import events
from tests.capstone.chat_case import Line, PeopleCase


class SocketCase(PeopleCase):
    """A group of anna's that bob has joined; mallory has not."""

    options = {"send_burst": 2000}  # noqa: RUF012

    async def gather(self) -> None:
        await super().gather()
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
