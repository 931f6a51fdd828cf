"""Links with which users join a group; its owner makes them, and anybody may pass them on.

A group has at most one link. The database stores a random nonce and the time of expiry; the token
of the link is an HMAC-SHA-256 over both. Its key is derived from the secret of the chat. So a copy
of the database alone is not enough to make a link, and the owner can still copy the link later.

A link does not let in users whom the owner has removed, until the owner invites or adds them again.
It does not let in users whom the owner has blocked either. They get the response of a link that has
ended, so that they cannot detect the block.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from capstone_chat.conversations import groups, invitations
from capstone_chat.conversations.errors import NotAllowed, NotFound
from capstone_chat.conversations.event_log import Event
from capstone_chat.conversations.membership import (
    add_member,
    get_role,
    lock_conversations,
    publish_events,
    require_group_capacity,
    require_owner,
)
from capstone_chat.conversations.users import PublicUser
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.tables import contacts, invite_links, members

DAY_MS = 24 * 3600 * 1000

LIFETIMES = (1, 7, 30)
"""The numbers of days for which an owner may make a link valid."""

MAX_LIFETIME_MS = (max(LIFETIMES) + 1) * DAY_MS
"""Maximum number of milliseconds that a valid link may still have. A link with more was made before
the clock was set back, and has ended."""

TOKEN = re.compile(r"([0-9]{1,15})-([\w-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class InviteLink:
    """The link of a group; `expires_at` is in milliseconds since 1970."""

    token: str
    expires_at: int


class InviteLinks:
    """Makes and revokes the links of groups, and lets users join with them.

    Args:
        database: the database.
        hub: publishes the events.
        secret: the secret of the chat.
    """

    def __init__(self, database: Database, hub: Hub, secret: str) -> None:
        self._database = database
        self._hub = hub
        self._key = hmac.digest(secret.encode(), b"invite links", hashlib.sha256)

    async def get(self, user: PublicUser, conv: int) -> InviteLink | None:
        """Return the link of a group for its owner; None if there is none, or it has expired.

        Raises:
            NotFound: the user is not a member.
            NotAllowed: the user is not the owner.
        """

        def read(connection: sa.Connection) -> InviteLink | None:
            require_owner(connection, conv, user.id)
            return self._stored(connection, conv)

        return await self._database.read(read)

    async def replace(self, user: PublicUser, conv: int, days: int | None) -> InviteLink | None:
        """Revoke the link of a group, as the owner; make a new one, and return it.

        Args:
            user: the owner.
            conv: the group.
            days: for how long the new link is valid, one of LIFETIMES; None for no new link.

        Raises:
            NotFound: the user is not a member.
            NotAllowed: the user is not the owner.
        """
        row = {"conversation_id": conv, "nonce": secrets.token_hex(16)}

        def change(connection: sa.Connection) -> InviteLink | None:
            lock_conversations(connection, [conv])
            require_owner(connection, conv, user.id)
            connection.execute(invite_links.delete().where(invite_links.c.conversation_id == conv))
            if days is None:
                return None
            expires_at = now_ms() + days * DAY_MS
            connection.execute(invite_links.insert().values(**row, expires_at=expires_at))
            return self._stored(connection, conv)

        return await self._database.write(change)

    async def find_group(self, user: PublicUser, token: str) -> dict[str, Any]:
        """Return the group of a link in the form of a search result (see `Groups.search`).

        Raises:
            NotFound: the link is wrong, revoked or expired, or the owner has blocked the user.
            NotAllowed: the owner has removed the user from the group.
        """

        def read(connection: sa.Connection) -> dict[str, Any]:
            conv = self._require_valid(connection, token, user.id)
            return groups.summaries(connection, user.id, [conv])[0]

        return await self._database.read(read)

    async def join(self, user: PublicUser, token: str) -> int:
        """Make the user a member of the group of a link, and return its id. Idempotent.

        Raises:
            NotFound: see `find_group`.
            NotAllowed: see `find_group`, or a limit of `membership` is reached.
        """
        at = now_ms()

        def change(connection: sa.Connection) -> tuple[int, list[Event], bool]:
            lock_conversations(connection, [_conversation_of(token)])
            conv = self._require_valid(connection, token, user.id)
            if get_role(connection, conv, user.id):
                return conv, [], False
            require_group_capacity(connection, conv, user.id)
            invited = invitations.end(connection, conv, user.id)
            return conv, [add_member(connection, conv, user, "joined", at)], invited

        def publish(joined: tuple[int, list[Event], bool]) -> None:
            conv, events, invited = joined
            publish_events(self._hub, events)
            if invited:
                invitations.publish_end(self._hub, user.id, conv)

        return (await self._database.write(change, publish))[0]

    def _stored(self, connection: sa.Connection, conv: int) -> InviteLink | None:
        """Return the link of a group, None if there is none that is valid."""
        query = sa.select(invite_links).where(invite_links.c.conversation_id == conv)
        row = connection.execute(query).one_or_none()
        if row is None or not 0 < row.expires_at - now_ms() < MAX_LIFETIME_MS:
            return None
        signed = f"{conv}-{row.expires_at}-{row.nonce}".encode()
        signature = base64.urlsafe_b64encode(hmac.digest(self._key, signed, hashlib.sha256))
        return InviteLink(f"{conv}-{signature.decode().rstrip('=')}", row.expires_at)

    def _require_valid(self, connection: sa.Connection, token: str, user_id: int) -> int:
        """Return the group of a link that a user may use."""
        conv = _conversation_of(token)
        link = self._stored(connection, conv)
        owner = sa.select(members.c.user_id).where(
            members.c.conversation_id == conv, members.c.role == "owner"
        )
        blocked = sa.exists().where(
            contacts.c.user_id == owner.scalar_subquery(),
            contacts.c.other_id == user_id,
            contacts.c.blocked,
        )
        if (
            link is None
            or not hmac.compare_digest(link.token.encode(), token.encode())
            or connection.scalar(sa.select(blocked))
        ):
            raise NotFound("This invite link has ended. Ask for a new one.")
        if invitations.was_removed(connection, conv, user_id):
            raise NotAllowed(
                "removed", "You were removed from this group. Its owner can invite you again."
            )
        return conv


def _conversation_of(token: str) -> int:
    match = TOKEN.fullmatch(token)
    return int(match[1]) if match else 0
