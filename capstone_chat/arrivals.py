"""What a socket that opens has to know."""

from dataclasses import dataclass

import sqlalchemy as sa

from capstone_chat import contacts, membership
from capstone_chat.database import Database
from capstone_chat.people import Person
from capstone_chat.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a user's new socket is to hear."""

    heads: dict[int, int]
    """The newest seq of each conversation."""
    visible: list[int]
    """The contacts whose presence the user may see."""


class Arrivals:
    """Looks all of it up at once: thousands may come back in the same moment, and to ask costs more
    than the answer."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions

    async def look_up(self, user: Person, token: str) -> Arrival | None:
        """Return what a user's socket is to hear, or None when the session has ended meanwhile."""

        def query(connection: sa.Connection) -> Arrival | None:
            if not self._sessions.is_open(connection, token):
                return None
            return Arrival(
                membership.heads(connection, user.id), contacts.visible(connection, user.id)
            )

        return await self._database.look_up(query)
