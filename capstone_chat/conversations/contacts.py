"""The people whom a user knows, and those whom a user has blocked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from capstone_chat.conversations import invitations
from capstone_chat.conversations.errors import NotAllowed, NotFound, SessionEnded
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
from capstone_chat.realtime import protocol, topics
from capstone_chat.realtime.broker import Broker
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.tables import contacts, conversations, users
from capstone_chat.text import names

MAX_PAGE_SIZE = 250
"""Contacts in one page of the list at the most."""

MAX_CONTACTS = 1000
"""Contacts that one user may have, and people whom one user may have blocked."""


@dataclass(frozen=True, slots=True)
class Contact:
    """An entry of a user's contact list."""

    user: PublicUser
    name: str
    blocked: bool
    presence_visible: bool
    """Whether the user may see this person's presence."""

    def to_dict(self) -> dict[str, Any]:
        """Return the entry for JSON."""
        return self.user.to_public_dict() | {"name": self.name, "blocked": self.blocked}


class Contacts:
    """Adds, removes, blocks, and says whose presence a user may see.

    Args:
        clock: milliseconds since 1970.
    """

    def __init__(
        self, database: Database, broker: Broker, *, clock: Callable[[], int] = now_ms
    ) -> None:
        self._database = database
        self._broker = broker
        self._clock = clock

    async def list_for(
        self, user: PublicUser, *, after: int | None = None
    ) -> tuple[list[Contact], int | None]:
        """Return a page of the user's contacts, blocked ones included, in the order of their ids.

        Args:
            after: cursor of the page.

        Returns:
            The contacts, and the cursor of the next page, None after the last.
        """
        query = _select_entries(user.id).where(contacts.c.other_id > (after or 0))
        query = query.order_by(contacts.c.other_id).limit(MAX_PAGE_SIZE + 1)
        found = await self._database.read(
            lambda connection: [_contact_from_row(row) for row in connection.execute(query)]
        )
        page = found[:MAX_PAGE_SIZE]
        return page, page[-1].user.id if len(found) > MAX_PAGE_SIZE else None

    async def presence_visible_to(self, user: PublicUser) -> list[int]:
        """Return the ids of those contacts whose presence the user may see."""
        return await self._database.read_batched(
            lambda connection: presence_visible_to(connection, user.id)
        )

    async def add(self, user: PublicUser, name: str, *, blocked: bool = False) -> Contact:
        """Add or block a user by user name. Adding a blocked user ends the block.

        Raises:
            NotFound: nobody has this name.
            NotAllowed: it is the user's own, or the list is full.
        """
        if not names.could_exist(name):
            raise NotFound(name)
        query = sa.select(users.c.id).where(
            users.c.name_key == names.canonical_key(name), IS_ACTIVE
        )
        other = await self._database.read(lambda connection: connection.scalar(query))
        if other is None:
            raise NotFound(name)
        return await self.update_or_create(user, other, blocked=blocked, knows_name=True)

    async def update_or_create(
        self, user: PublicUser, other: int, *, blocked: bool, knows_name: bool = False
    ) -> Contact:
        """Make somebody a contact, or block, and return how the list now has them. A block, and its
        end, remove the invitations to groups between the two.

        Args:
            knows_name: whether the user knows the other's user name; otherwise it must be somebody
                whom the user can see: a contact, a member of a shared conversation, or an inviter.
                Otherwise counting ids would tell the user name of every account.

        Raises:
            NotFound: there is no such user, or the user cannot see them.
            NotAllowed: it is the user, or the list is full.
        """
        if other == user.id:
            raise NotAllowed("yourself", "That is you.")
        at = self._clock()

        def change(connection: sa.Connection) -> tuple[Contact, _Changed]:
            # A message that is being stored is waited for; the next one sees the block.
            pair = sa.select(conversations.c.id).where(
                conversations.c.pair == pair_key(user.id, other)
            )
            lock_conversations(connection, connection.scalars(pair))
            # Neither is deleted before the commit, nor do the two open a private chat.
            alive = lock_active_users(connection, user.id, other, change=True)
            if user.id not in alive:
                raise SessionEnded
            if other not in alive or not (knows_name or _can_see(connection, user.id, other)):
                raise NotFound(other)
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
        """Take somebody off the list, blocked or not."""

        def change(connection: sa.Connection) -> _Changed:
            ended = _delete_entry(connection, user.id, other, blocked=False)
            return _watchers(connection, user.id, other), ended

        await self._database.write(
            change, lambda changed: self._publish_change(user.id, other, *changed)
        )

    def _publish_change(
        self, one: int, other: int, watchers: list[int], ended: list[tuple[int, int]]
    ) -> None:
        """Change which presence the open connections of both users are subscribed to.

        A user who was blocked gets the same event as if the other user had gone offline.
        """
        for watcher, watched in (one, other), (other, one):
            if watcher in watchers:
                self._broker.send_control(
                    topics.user(watcher), {"enter": [topics.presence(watched)]}
                )
            else:
                self._broker.send_control(
                    topics.user(watcher), {"leave": [topics.presence(watched)]}
                )
                offline = {"type": "presence", "user": watched, "online": False}
                self._broker.publish(topics.user(watcher), protocol.encode(offline))
        for conv, invited in ended:
            invitations.publish_end(self._broker, invited, conv)


_Changed = tuple[list[int], list[tuple[int, int]]]
"""The users who may see each other's presence; the (group, user) of deleted invitations."""


def _is_entry(user_id: int, other: int) -> sa.ColumnElement[bool]:
    return (contacts.c.user_id == user_id) & (contacts.c.other_id == other)


def _delete_entry(
    connection: sa.Connection, user_id: int, other: int, *, blocked: bool
) -> list[tuple[int, int]]:
    """Delete the entry of somebody in a list, and where it is a block, or becomes one, the
    invitations between the two; return the invitations that were seen."""
    entry = _is_entry(user_id, other)
    was_blocked = connection.scalar(sa.select(contacts.c.blocked).where(entry))
    ended = invitations.end_between(connection, user_id, other) if blocked or was_blocked else []
    connection.execute(contacts.delete().where(entry))
    return ended


def _can_see(connection: sa.Connection, user_id: int, other: int) -> bool:
    """Tell whether a user knows of somebody without their user name: as a contact, from a shared
    conversation, or as an inviter."""
    return (
        connection.scalar(sa.select(sa.exists().where(_is_entry(user_id, other))))
        or shares_conversation(connection, user_id, other)
        or invitations.is_invited_by(connection, user_id, other)
    )


def _require_capacity(connection: sa.Connection, user_id: int, *, blocked: bool) -> None:
    """Refuse another entry of a full list. Concurrent changes may exceed the limit by a few."""
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
"""Of contacts: those whose presence the user may see."""


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
    """Return who of the two may see the other's presence."""
    mutual = sa.or_(_is_entry(one, other), _is_entry(other, one))
    return list(connection.scalars(sa.select(contacts.c.user_id).where(mutual, _PRESENCE_VISIBLE)))


_PRESENCE_VISIBLE_TO = (
    sa.select(contacts.c.other_id)
    .where(contacts.c.user_id == sa.bindparam("user"), _PRESENCE_VISIBLE)
    .order_by(contacts.c.other_id)
    .limit(sa.bindparam("most"))
)


def presence_visible_to(connection: sa.Connection, user_id: int) -> list[int]:
    """Return the ids of those contacts whose presence a user may see, at most MAX_CONTACTS."""
    return list(connection.scalars(_PRESENCE_VISIBLE_TO, {"user": user_id, "most": MAX_CONTACTS}))
