"""Service that reads all that a new connection needs from the database, in one read."""

from typing import NamedTuple

import sqlalchemy as sa

from capstone_chat.accounts.sessions import Sessions
from capstone_chat.conversations import contacts, invitations
from capstone_chat.conversations.membership import heads_by_conversation
from capstone_chat.conversations.users import PublicUser
from capstone_chat.storage.database import Database


class Snapshot(NamedTuple):
    """The state of a user at one moment."""

    heads: dict[int, int]
    """The head of each conversation of the user."""
    presence_visible: list[int]
    """The ids of the contacts whose presence the user may see."""
    invitations: list[int]
    """The ids of the groups to which the user has visible invitations."""
    watchers: list[int]
    """The ids of the users who may see the user's presence."""


class Snapshots:
    """Reads snapshots, each in one read (benchmarks/NOTES.md has what this saves).

    Args:
        database: the database.
        sessions: checks the session of the connection.
    """

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions

    async def read(self, user: PublicUser, token: str) -> Snapshot | None:
        """Return the snapshot of a user; None if the session has ended.

        Args:
            user: the user.
            token: the secret id of the user's session.
        """

        def query(connection: sa.Connection) -> Snapshot | None:
            if not self._sessions.is_valid(connection, token):
                return None
            return Snapshot(
                heads_by_conversation(connection, user.id),
                contacts.presence_visible_to(connection, user.id),
                invitations.group_ids_for(connection, user.id),
                contacts.watchers_of(connection, user.id),
            )

        return await self._database.read_batched(query)
