"""What a socket that opens has to know."""

from dataclasses import dataclass

import sqlalchemy as sa

from capstone_chat.accounts.sessions import Sessions
from capstone_chat.conversations import contacts, invitations, membership
from capstone_chat.conversations.users import PublicUser
from capstone_chat.storage.database import Database


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a user's new socket is to hear."""

    heads: dict[int, int]
    """The newest seq of each conversation."""
    visible: list[int]
    """The contacts whose presence the user may see."""
    invitations: list[int]
    """The groups to which the user is invited."""


class Arrivals:
    """Looks all of it up at once: thousands may come back in the same moment, and to ask costs more
    than the answer."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions

    async def load(self, user: PublicUser, token: str) -> Arrival | None:
        """Return what a user's socket is to hear, or None when the session has ended meanwhile."""

        def query(connection: sa.Connection) -> Arrival | None:
            if not self._sessions.is_valid(connection, token):
                return None
            return Arrival(
                membership.heads_by_conversation(connection, user.id),
                contacts.presence_visible_to(connection, user.id),
                invitations.group_ids_for(connection, user.id),
            )

        return await self._database.read_batched(query)
