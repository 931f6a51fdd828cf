"""Service for a user's contacts and blocked users."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from capstone_chat.conversations import invitations
from capstone_chat.conversations.errors import NotAllowed, NotFound, SessionEnded, yourself
from capstone_chat.conversations.membership import (
    lock_conversations,
    pair_key,
    shares_conversation,
)
from capstone_chat.conversations.users import (
    IS_ACTIVE,
    PublicUser,
    lock_active_users,
    public_user_columns,
)
from capstone_chat.realtime import topics
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage.compiled import CompiledStatement
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.tables import contacts, conversations, users
from capstone_chat.text import names

MAX_PAGE_SIZE = 250
"""Maximum number of contacts in one page of the list."""

MAX_CONTACTS = 1000
"""Maximum number of contacts of a user, and of users whom a user has blocked."""

MAX_WATCHERS = 5000
"""Maximum number of users to whom a change of one user's presence is published.

Others see the presence when they open a page, and with several processes with the next ping.
"""


@dataclass(frozen=True, slots=True)
class Contact:
    """An entry of a user's contact list."""

    user: PublicUser
    name: str
    blocked: bool
    presence_visible: bool
    """Whether the user may see the presence of this contact."""

    def to_dict(self) -> dict[str, Any]:
        """Return the entry for JSON."""
        return self.user.to_public_dict() | {"name": self.name, "blocked": self.blocked}


class Contacts:
    """Adds, removes and blocks contacts, and determines which presence a user may see.

    Args:
        database: the database.
        hub: carries the changes to connections.
    """

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database = database
        self._hub = hub

    async def list_for(
        self, user: PublicUser, *, after: int | None = None
    ) -> tuple[list[Contact], int | None]:
        """Return a page of the user's contacts, blocked ones included, in the order of their ids.

        Args:
            user: the user.
            after: cursor of the page; None for the first page.

        Returns:
            The contacts, and the cursor of the next page or None.
        """
        query = _select_entries(user.id).where(contacts.c.other_id > (after or 0))
        query = query.order_by(contacts.c.other_id).limit(MAX_PAGE_SIZE + 1)
        found = await self._database.read(
            lambda connection: [_contact_from_row(row) for row in connection.execute(query)]
        )
        page = found[:MAX_PAGE_SIZE]
        return page, page[-1].user.id if len(found) > MAX_PAGE_SIZE else None

    async def presence_visible_to(self, user: PublicUser) -> list[int]:
        """Return the ids of the contacts whose presence the user may see."""
        return await self._database.read_batched(
            lambda connection: presence_visible_to(connection, user.id)
        )

    async def publish_presence(self, user_id: int) -> None:
        """Publish to the online users who may see it whether a user is online, if this changed."""
        if await self._hub.presence.write(user_id):
            watchers = await self._database.read_batched(
                lambda connection: watchers_of(connection, user_id)
            )
            await self.publish_presence_to(watchers, user_id)

    async def publish_presence_to(self, watchers: list[int], user_id: int) -> None:
        """Publish to those of some users who are online whether a user is online."""
        if watchers:
            online = await self._hub.presence.online_among([user_id, *watchers])
            event = {"type": "presence", "user": user_id, "online": user_id in online}
            for watcher in online - {user_id}:
                self._hub.publish(topics.user(watcher), event)

    async def add(self, user: PublicUser, name: str, *, blocked: bool = False) -> Contact:
        """Add or block a user by user name; adding a blocked user ends the block.

        Raises:
            NotFound: no active user has this name.
            NotAllowed: the name is the user's own, or the list is full.
        """
        other = await self.get_by_name(name)
        if other is None:
            raise NotFound
        return await self.update_or_create(user, other["id"], blocked=blocked, knows_name=True)

    async def get_by_name(self, name: str) -> dict[str, Any] | None:
        """Return the public fields and the user name of an active user, None if there is none.

        Args:
            name: the whole user name. A part of a name has no result, so that names stay unknown to
                users who were not told them.
        """
        if not names.could_exist(name):
            return None
        query = sa.select(*public_user_columns(), users.c.name).where(
            users.c.name_key == names.canonical_key(name), IS_ACTIVE
        )
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else row._asdict()

    async def update_or_create(
        self, user: PublicUser, other: int, *, blocked: bool, knows_name: bool = False
    ) -> Contact:
        """Add or block a user by id; return the new entry of the list.

        The start and the end of a block remove the invitations to groups between the two users.

        Args:
            user: the owner of the list.
            other: id of the user to add or block.
            blocked: whether to block.
            knows_name: whether the user has given the user name of the other. If not, the other
                must be visible to the user: a contact, a member of a shared conversation, or an
                inviter. Without this rule, counting ids would reveal the user names of all
                accounts.

        Raises:
            NotFound: there is no such active user, or the other is not visible to the user.
            NotAllowed: the other is the user, or the list is full.
            SessionEnded: the account of the user has ended.
        """
        if other == user.id:
            raise yourself()
        at = now_ms()

        def change(connection: sa.Connection) -> tuple[Contact, _Changed]:
            # Wait for a message that is being stored; the next message is subject to the block.
            pair = sa.select(conversations.c.id).where(
                conversations.c.pair == pair_key(user.id, other)
            )
            lock_conversations(connection, connection.scalars(pair))
            # Until the commit neither account can be deleted, and the two cannot open a private
            # chat.
            alive = lock_active_users(connection, user.id, other, change=True)
            if user.id not in alive:
                raise SessionEnded
            if other not in alive or not (knows_name or _can_see(connection, user.id, other)):
                raise NotFound
            ended = _delete_entry(connection, user.id, other, blocked=blocked)
            _require_capacity(connection, user.id, blocked=blocked)
            row = contacts.insert().values(user_id=user.id, other_id=other, blocked=blocked, at=at)
            connection.execute(row)
            entry = connection.execute(_select_entries(user.id).where(users.c.id == other)).one()
            return _contact_from_row(entry), (_watchers(connection, user.id, other), ended)

        found = await self._database.write(
            change, lambda changed: self._publish_change(user.id, other, *changed[1])
        )
        return found[0]

    async def remove(self, user: PublicUser, other: int) -> None:
        """Remove a contact or a block from the list."""

        def change(connection: sa.Connection) -> _Changed:
            ended = _delete_entry(connection, user.id, other, blocked=False)
            return _watchers(connection, user.id, other), ended

        await self._database.write(
            change, lambda changed: self._publish_change(user.id, other, *changed)
        )

    def _publish_change(
        self, one: int, other: int, watchers: list[int], ended: list[tuple[int, int]]
    ) -> None:
        """Publish each of two users as offline to the other one who may not see the presence now.

        So a blocked user receives the same event as when the other user goes offline.
        """
        for watcher, watched in (one, other), (other, one):
            if watcher not in watchers:
                offline = {"type": "presence", "user": watched, "online": False}
                self._hub.publish(topics.user(watcher), offline)
        for conv, invited in ended:
            invitations.publish_end(self._hub, invited, conv)


_Changed = tuple[list[int], list[tuple[int, int]]]
"""The users who may see each other's presence, and the (group, user) of deleted invitations."""


def _is_entry(user_id: int, other: int) -> sa.ColumnElement[bool]:
    return (contacts.c.user_id == user_id) & (contacts.c.other_id == other)


def _delete_entry(
    connection: sa.Connection, user_id: int, other: int, *, blocked: bool
) -> list[tuple[int, int]]:
    """Delete an entry of a list; return the deleted invitations that were visible.

    If the entry is a block, or becomes one, the invitations between the two users are deleted too.
    """
    entry = _is_entry(user_id, other)
    was_blocked = connection.scalar(sa.select(contacts.c.blocked).where(entry))
    ended = invitations.end_between(connection, user_id, other) if blocked or was_blocked else []
    connection.execute(contacts.delete().where(entry))
    return ended


def _can_see(connection: sa.Connection, user_id: int, other: int) -> bool:
    """Return whether a user may see another one without giving the user name.

    This holds for a contact, a member of a shared conversation, and an inviter.
    """
    return (
        connection.scalar(sa.select(sa.exists().where(_is_entry(user_id, other))))
        or shares_conversation(connection, user_id, other)
        or invitations.is_invited_by(connection, user_id, other)
    )


def _require_capacity(connection: sa.Connection, user_id: int, *, blocked: bool) -> None:
    """Check that a list is not full; concurrent changes may exceed the limit by a few entries."""
    size = sa.select(sa.func.count()).where(
        contacts.c.user_id == user_id, contacts.c.blocked == blocked
    )
    if (connection.scalar(size) or 0) >= MAX_CONTACTS:
        raise NotAllowed(
            "too_many", f"A list has at most {MAX_CONTACTS} people. Remove somebody first."
        )


_reverse = contacts.alias()
_PRESENCE_VISIBLE = ~contacts.c.blocked & ~sa.exists().where(
    _reverse.c.user_id == contacts.c.other_id,
    _reverse.c.other_id == contacts.c.user_id,
    _reverse.c.blocked,
)
"""Condition of the contacts whose presence the user may see."""


def _select_entries(user_id: int) -> sa.Select[Any]:
    visible = sa.case((_PRESENCE_VISIBLE, 1), else_=0)
    return (
        sa.select(*public_user_columns(), users.c.name, contacts.c.blocked, visible)
        .join(contacts, contacts.c.other_id == users.c.id)
        .where(contacts.c.user_id == user_id)
    )


def _contact_from_row(row: sa.Row[Any]) -> Contact:
    id_, nickname, picture, name, blocked, presence_visible = tuple(row)
    return Contact(PublicUser(id_, nickname, picture), name, bool(blocked), bool(presence_visible))


def _watchers(connection: sa.Connection, one: int, other: int) -> list[int]:
    """Return the ids of those of two users who may see the presence of the other."""
    mutual = sa.or_(_is_entry(one, other), _is_entry(other, one))
    return list(connection.scalars(sa.select(contacts.c.user_id).where(mutual, _PRESENCE_VISIBLE)))


_PRESENCE_VISIBLE_TO = CompiledStatement(
    sa.select(contacts.c.other_id)
    .where(contacts.c.user_id == sa.bindparam("user"), _PRESENCE_VISIBLE)
    .order_by(contacts.c.other_id)
    .limit(sa.bindparam("most"))
)


_WATCHERS_OF = CompiledStatement(
    sa.select(contacts.c.user_id)
    .where(contacts.c.other_id == sa.bindparam("user"), _PRESENCE_VISIBLE)
    .limit(sa.bindparam("most"))
)


def presence_visible_to(connection: sa.Connection, user_id: int) -> list[int]:
    """Return the ids of the contacts whose presence a user may see, at most MAX_CONTACTS."""
    wanted = {"user": user_id, "most": MAX_CONTACTS}
    return [other for (other,) in _PRESENCE_VISIBLE_TO.fetch_all(connection, wanted)]


def watchers_of(connection: sa.Connection, user_id: int) -> list[int]:
    """Return the ids of the users who may see a user's presence, at most MAX_WATCHERS."""
    wanted = {"user": user_id, "most": MAX_WATCHERS}
    return [watcher for (watcher,) in _WATCHERS_OF.fetch_all(connection, wanted)]
