"""Service for groups: creating, finding, joining and leaving them; the actions of owners."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from capstone_chat.conversations import event_log, invitations
from capstone_chat.conversations.errors import NotAllowed, NotFound, no_such_conversation, yourself
from capstone_chat.conversations.event_log import Event, NewEvent
from capstone_chat.conversations.membership import (
    add_member,
    get_role,
    lock_conversations,
    publish_events,
    remove_member,
    require_group_capacity,
    require_member,
    require_owner,
    require_user_capacity,
    set_role,
)
from capstone_chat.conversations.users import IS_ACTIVE, PublicUser, public_user_columns
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.sql import insert_returning_id
from capstone_chat.storage.tables import contacts, conversations, members, users
from capstone_chat.text import names
from capstone_chat.text.search_folding import fold

MAX_RESULTS = 20
"""Maximum number of groups in a page of search results, from each range of titles."""

MAX_EXAMINED = 10_000
"""Maximum number of titles that one search request compares, in each of two ranges."""


class Groups:
    """Creates, finds and changes groups; every change is an event that the members receive.

    All methods raise `NotFound` for a group that does not exist or is hidden from the user, and
    `NotAllowed` for actions of owners by another user, and if a limit of `membership` is reached.

    Args:
        database: the database.
        hub: publishes the events.
        clock: function that returns milliseconds since 1970.
    """

    def __init__(self, database: Database, hub: Hub, *, clock: Callable[[], int] = now_ms) -> None:
        self._database = database
        self._hub = hub
        self._clock = clock

    async def create(self, user: PublicUser, title: str, description: str, *, public: bool) -> int:
        """Create a group whose owner is the user, with checked texts; return its id."""
        at = self._clock()
        row = conversations.insert().values(
            kind="group",
            title=title,
            title_key=fold(title)[:160],
            description=description,
            public=public,
            head=0,
            created_at=at,
        )

        def change(connection: sa.Connection) -> list[Event]:
            require_user_capacity(connection, user.id, "group")
            conv = insert_returning_id(connection, row)
            return [add_member(connection, conv, user, "created", at, role="owner")]

        return (await self._write(change))[0].conv

    async def search(
        self, user: PublicUser, query: str, *, after: int | None = None
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Return a page of public groups whose titles contain a text, the largest group first.

        No index finds a text inside a title, so a request compares a bounded number of titles in
        their order. Each page compares the titles after its cursor; the first page also those from
        the query on, which include the titles that begin with it. A group may be on two pages.

        Args:
            user: the user, for the field `joined`.
            query: the text.
            after: cursor of the page; None for the first page.

        Returns:
            At most 2 * MAX_RESULTS groups, and the cursor of the next page or None.
        """
        key = fold(query)

        def read(connection: sa.Connection) -> tuple[list[dict[str, Any]], int | None]:
            found, cursor = _search_titles(connection, key, _titles_after(connection, after))
            if after is None and key:
                found += _search_titles(connection, key, _key >= key)[0]
            return summaries(connection, user.id, found), cursor

        return await self._database.read(read)

    async def get_public(self, user: PublicUser, conv: int) -> dict[str, Any] | None:
        """Return a public group in the form of a search result; None if there is no such group."""
        query = sa.select(conversations.c.id).where(
            conversations.c.id == conv, conversations.c.kind == "group", conversations.c.public
        )

        def read(connection: sa.Connection) -> dict[str, Any] | None:
            found = summaries(connection, user.id, list(connection.scalars(query)))
            return found[0] if found else None

        return await self._database.read(read)

    async def join(self, user: PublicUser, conv: int) -> None:
        """Make the user a member of a public group, or of one with an invitation. Idempotent."""
        at = self._clock()
        group = (  # a group without members counts as deleted
            sa.select(conversations.c.public)
            .where(conversations.c.id == conv, conversations.c.kind == "group")
            .where(sa.exists().where(members.c.conversation_id == conv))
        )

        def change(connection: sa.Connection) -> tuple[list[Event], bool]:
            lock_conversations(connection, [conv])
            public = connection.scalar(group)
            invited = invitations.end(connection, conv, user.id)
            if public is None or not (public or invited):
                raise no_such_conversation()
            if get_role(connection, conv, user.id):
                return [], invited
            require_group_capacity(connection, conv, user.id)
            return [add_member(connection, conv, user, "joined", at)], invited

        def publish(changed: tuple[list[Event], bool]) -> None:
            events, invited = changed
            publish_events(self._hub, events)
            if invited:
                invitations.publish_end(self._hub, user.id, conv)

        await self._database.write(change, publish)

    async def leave(self, user: PublicUser, conv: int) -> None:
        """End the user's own membership."""
        at = self._clock()

        def change(connection: sa.Connection) -> list[Event]:
            _lock_group(connection, conv)
            return remove_member(connection, conv, user, at)

        await self._write(change)

    async def update(self, user: PublicUser, conv: int, **values: str | bool) -> None:
        """Change `title`, `description` or `public` of a group; the texts are checked."""
        at = self._clock()

        def change(connection: sa.Connection) -> list[Event]:
            _lock_group(connection, conv)
            require_owner(connection, conv, user.id)
            condition = conversations.c.id == conv
            current = connection.execute(sa.select(conversations).where(condition)).one()
            new = {name: value for name, value in values.items() if value != current._mapping[name]}
            if not new:
                return []
            key = {"title_key": fold(str(new["title"]))[:160]} if "title" in new else {}
            connection.execute(conversations.update().where(condition).values(**new, **key))
            new_events = [
                NewEvent(conv, *_change_event(name, value, user)) for name, value in new.items()
            ]
            return event_log.append(connection, new_events, at)

        await self._write(change)

    async def add_member(self, user: PublicUser, conv: int, name: str) -> bool:
        """Add or invite a user by user name, as the owner; return whether the user was invited.

        A user who has the owner in the contact list, and has not left this group, becomes a member
        at once. All others are invited. The invitation is hidden from a user who has blocked the
        owner, and the owner cannot detect this.
        """
        at = self._clock()

        def change(connection: sa.Connection) -> _Added:
            _lock_group(connection, conv)
            require_owner(connection, conv, user.id)
            other = _require_user_named(connection, name)
            if get_role(connection, conv, other.id):
                return _Added(other.id)
            if _can_add_directly(connection, user.id, other.id) and not invitations.has_departed(
                connection, conv, other.id
            ):
                require_group_capacity(connection, conv, other.id)
                used = invitations.end(connection, conv, other.id)
                events = [add_member(connection, conv, other, "added", at, actor=user)]
                return _Added(other.id, events, ended=used)
            if invitations.exists(connection, conv, other.id):
                return _Added(other.id, invited=True)
            if invitations.is_full(connection, conv, other.id, user.id):
                raise NotAllowed("too_many_invitations", "Too many invitations wait for an answer.")
            invitations.add(connection, conv, other.id, user.id, at)
            seen = invitations.list_for(connection, other.id, conv)
            return _Added(other.id, invited=True, invitation=seen[0] if seen else None)

        def publish(added: _Added) -> None:
            publish_events(self._hub, added.events)
            if added.ended:
                invitations.publish_end(self._hub, added.user_id, conv)
            if added.invitation:
                invitations.publish(self._hub, added.user_id, added.invitation)

        return (await self._database.write(change, publish)).invited

    async def list_invitations(self, user: PublicUser) -> list[dict[str, Any]]:
        """Return the invitations of the user, the newest first."""
        return await self._database.read(
            lambda connection: invitations.list_for(connection, user.id)
        )

    async def list_invited_users(self, user: PublicUser, conv: int) -> list[dict[str, Any]]:
        """Return the users who are invited to a group, for its owner."""

        def read(connection: sa.Connection) -> list[dict[str, Any]]:
            require_owner(connection, conv, user.id)
            return invitations.list_invited_users(connection, conv)

        return await self._database.read(read)

    async def end_invitation(self, user: PublicUser, conv: int, other: int) -> None:
        """Decline the user's own invitation, or withdraw another user's as the owner.

        The owner is not notified when a user declines.

        Raises:
            NotFound: there is no such invitation.
        """

        def change(connection: sa.Connection) -> bool:
            lock_conversations(connection, [conv])
            if other != user.id:
                require_owner(connection, conv, user.id)
            found = invitations.exists(connection, conv, other)
            seen = invitations.end(connection, conv, other)
            if not (seen or (found and other != user.id)):
                raise NotFound
            return seen

        def publish(seen: bool) -> None:
            if seen:
                invitations.publish_end(self._hub, other, conv)

        await self._database.write(change, publish)

    async def remove_member(self, user: PublicUser, conv: int, other: int) -> None:
        """Remove another member, as the owner; unsubscribe the member's connections."""
        at = self._clock()

        def change(connection: sa.Connection) -> list[Event]:
            _lock_group(connection, conv)
            require_owner(connection, conv, user.id)
            member = _require_other_member(connection, conv, other, user)
            return remove_member(connection, conv, member, at, actor=user)

        await self._write(change)

    async def transfer_ownership(self, user: PublicUser, conv: int, other: int) -> None:
        """Transfer the ownership to another member, as the owner."""
        at = self._clock()

        def change(connection: sa.Connection) -> list[Event]:
            _lock_group(connection, conv)
            require_owner(connection, conv, user.id)
            new_owner = _require_other_member(connection, conv, other, user)
            set_role(connection, conv, user.id, "member")
            set_role(connection, conv, other, "owner")
            new = NewEvent(conv, "member", user, "owner", subject=new_owner)
            return event_log.append(connection, [new], at)

        await self._write(change)

    async def _write(self, change: Callable[[sa.Connection], list[Event]]) -> list[Event]:
        return await self._database.write(change, functools.partial(publish_events, self._hub))


@dataclass(frozen=True, slots=True)
class _Added:
    """The result of the transaction of `Groups.add_member`.

    Attributes:
        user_id: the user who was added or invited.
        events: the events of the new membership.
        invited: whether the user is invited.
        invitation: the new invitation, if it is visible to the user.
        ended: whether an older invitation, which was visible, has been used.
    """

    user_id: int
    events: list[Event] = field(default_factory=list)
    invited: bool = False
    invitation: dict[str, Any] | None = None
    ended: bool = False


def _require_user_named(connection: sa.Connection, name: str) -> PublicUser:
    """Return the active user of a name; lock the user until the commit."""
    query = sa.select(*public_user_columns()).where(
        users.c.name_key == names.canonical_key(name), IS_ACTIVE
    )
    row = None
    if names.could_exist(name):
        row = connection.execute(query.with_for_update(read=True)).one_or_none()
    if row is None:
        raise NotAllowed("no_such_user", "Nobody has this user name.")
    return PublicUser(*row)


def _can_add_directly(connection: sa.Connection, owner: int, other: int) -> bool:
    """Return whether a user has the owner in the contact list.

    Raises:
        NotAllowed: the owner has blocked the user.
    """
    query = sa.select(contacts.c.blocked).with_for_update(read=True)  # unchanged until the commit
    owner_entry = query.where(contacts.c.user_id == owner, contacts.c.other_id == other)
    if connection.scalar(owner_entry):
        raise NotAllowed("blocked", "You have blocked this person.")
    entry = query.where(contacts.c.user_id == other, contacts.c.other_id == owner)
    return connection.scalar(entry) is False


_key, _id = conversations.c.title_key, conversations.c.id


def _titles_after(connection: sa.Connection, after: int | None) -> sa.ColumnElement[bool]:
    """Return the condition of titles after that of a group; private chats have no title."""
    if after is None:
        return _key > ""
    title_key = connection.scalar(sa.select(_key).where(_id == after)) or ""
    later = (_key > title_key) | ((_key == title_key) & (_id > after))
    return (_key > "") & (_key >= title_key) & later


def _search_titles(
    connection: sa.Connection, key: str, where: sa.ColumnElement[bool]
) -> tuple[list[int], int | None]:
    """Return public groups whose title contains a key, in the first MAX_EXAMINED titles of a range.

    Returns:
        At most MAX_RESULTS ids, and the group after which the next page starts, None at the end.
    """
    titles = sa.select(_key, _id).where(where).order_by(_key, _id)
    last = connection.execute(titles.limit(1).offset(MAX_EXAMINED - 1)).one_or_none()
    if last is not None:
        earlier = (_key < last.title_key) | ((_key == last.title_key) & (_id <= last.id))
        titles = titles.where(_key <= last.title_key, earlier)
    found = titles.where(_key.contains(key, autoescape=True), conversations.c.public)
    ids = [id_ for _, id_ in connection.execute(found.limit(MAX_RESULTS))]
    if len(ids) == MAX_RESULTS:
        return ids, ids[-1]
    return ids, last.id if last is not None else None


def summaries(connection: sa.Connection, user_id: int, ids: list[int]) -> list[dict[str, Any]]:
    """Return groups in the form of search results; groups without members are omitted."""
    size = sa.func.count(members.c.user_id)
    joined = sa.func.max(sa.case((members.c.user_id == user_id, 1), else_=0))
    query = (
        sa.select(
            conversations.c.id,
            conversations.c.title,
            conversations.c.description,
            size.label("members"),
            joined.label("joined"),
        )
        .join(members)
        .where(conversations.c.id.in_(ids))
        .group_by(conversations.c.id, conversations.c.title, conversations.c.description)
        .order_by(size.desc(), conversations.c.id)
    )
    return [
        {**row._asdict(), "joined": bool(row.joined)} for row in connection.execute(query).all()
    ]


def _lock_group(connection: sa.Connection, conv: int) -> None:
    lock_conversations(connection, [conv])
    query = sa.select(conversations.c.id).where(
        conversations.c.id == conv, conversations.c.kind == "group"
    )
    if connection.scalar(query) is None:
        raise no_such_conversation()


def _require_other_member(
    connection: sa.Connection, conv: int, other: int, user: PublicUser
) -> PublicUser:
    if other == user.id:
        raise yourself()
    require_member(connection, conv, other)
    return PublicUser(
        *connection.execute(sa.select(*public_user_columns()).where(users.c.id == other)).one()
    )


def _change_event(name: str, value: str | bool, user: PublicUser) -> tuple[str, PublicUser, str]:
    if name == "public":
        return "visibility", user, "public" if value else "private"
    return name, user, str(value)
