"""Functions on members and memberships that the services for conversations share.

The functions run in the caller's transaction.
"""

import functools
from collections.abc import Iterable

import sqlalchemy as sa

from capstone_chat.conversations import event_log, invitations
from capstone_chat.conversations.errors import (
    NotAllowed,
    NotFound,
    SessionEnded,
    no_such_conversation,
)
from capstone_chat.conversations.event_log import Event, NewEvent
from capstone_chat.conversations.users import PublicUser, lock_active_users, public_user_columns
from capstone_chat.realtime import topics
from capstone_chat.realtime.control import Subscribe, Unsubscribe
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage.compiled import CompiledStatement
from capstone_chat.storage.sql import batches, matches_any, matches_any_pair, pair_batches
from capstone_chat.storage.tables import contacts, conversations, members, users

MAX_MEMBERS = 10_000
"""Maximum number of members of a group."""

MAX_GROUPS = 500
"""Maximum number of groups of a user."""

MAX_PRIVATE_CHATS = 1500
"""Maximum number of private chats of a user. With MAX_GROUPS it bounds the size of `heads`."""


def lock_conversations(connection: sa.Connection, convs: Iterable[int]) -> None:
    """Lock conversations and their members against other processes until the commit.

    SQLite has a single writer and needs no lock. Other databases lock rows, always in the order of
    ids, so that two processes do not wait for each other (deadlock).
    """
    if connection.dialect.name != "sqlite":
        for count, values in batches(sorted(convs)):
            _lock_statement(count).fetch_all(connection, values)


@functools.cache
def _lock_statement(count: int) -> CompiledStatement:
    rows = sa.select(conversations.c.id).where(matches_any(conversations.c.id, count))
    return CompiledStatement(rows.order_by(conversations.c.id).with_for_update())


_HEADS = CompiledStatement(
    sa.select(conversations.c.id, conversations.c.head)
    .join(members)
    .where(members.c.user_id == sa.bindparam("user"))
)


def heads_by_conversation(connection: sa.Connection, user_id: int) -> dict[int, int]:
    """Return the head of each conversation of a user."""
    return dict(_HEADS.fetch_all(connection, {"user": user_id}))


def get_role(connection: sa.Connection, conv: int, user_id: int) -> str | None:
    """Return the role of a user in a conversation, owner or member; None for no member."""
    query = sa.select(members.c.role).where(
        members.c.conversation_id == conv, members.c.user_id == user_id
    )
    return connection.execute(query).scalar_one_or_none()


def require_member(connection: sa.Connection, conv: int, user_id: int) -> str:
    """Check that a user is a member, and return the role.

    Raises:
        NotFound: the user is not a member.
    """
    found = get_role(connection, conv, user_id)
    if found is None:
        raise no_such_conversation()
    return found


def require_owner(connection: sa.Connection, conv: int, user_id: int) -> None:
    """Check that a user is the owner of a group.

    Raises:
        NotFound: the user is not a member.
        NotAllowed: the user is a member, but not the owner.
    """
    if require_member(connection, conv, user_id) != "owner":
        raise NotAllowed("not_owner", "Only the owner of the group can do this.")


def require_group_capacity(connection: sa.Connection, conv: int, user_id: int) -> None:
    """Check that a group may have another member, and the user another group.

    Concurrent changes may exceed a limit by a few; existing excess is not removed.

    Raises:
        NotAllowed: one of the limits is reached.
    """
    size = sa.select(sa.func.count()).where(members.c.conversation_id == conv)
    if (connection.scalar(size) or 0) >= MAX_MEMBERS:
        raise NotAllowed("too_many", f"A group has at most {MAX_MEMBERS} members.")
    require_user_capacity(connection, user_id, "group")


def require_user_capacity(connection: sa.Connection, user_id: int, kind: str) -> None:
    """Check that a user may have another conversation of a kind, group or private.

    Raises:
        NotAllowed: the limit is reached.
    """
    size = (
        sa.select(sa.func.count())
        .select_from(members.join(conversations))
        .where(members.c.user_id == user_id, conversations.c.kind == kind)
    )
    count = connection.scalar(size) or 0
    if kind == "group" and count >= MAX_GROUPS:
        raise NotAllowed("too_many", f"A user can be in at most {MAX_GROUPS} groups.")
    if kind == "private" and count >= MAX_PRIVATE_CHATS:
        raise NotAllowed("too_many", f"A user can be in at most {MAX_PRIVATE_CHATS} private chats.")


def add_member(
    connection: sa.Connection,
    conv: int,
    person: PublicUser,
    change: str,
    at: int,
    *,
    actor: PublicUser | None = None,
    role: str = "member",
) -> Event:
    """Make a user a member; return the event.

    Args:
        connection: the connection with the transaction.
        conv: the conversation.
        person: the new member.
        change: created, joined or added.
        at: milliseconds since 1970.
        actor: the user who adds the member, if it is another user.
        role: owner or member.

    Raises:
        SessionEnded: the account of the new member is not in use, and there is no actor.
        NotFound: the account of the new member is not in use, and there is an actor.
    """
    if not lock_active_users(connection, person.id):
        raise NotFound if actor else SessionEnded
    new = NewEvent(conv, "member", actor or person, change, subject=person if actor else None)
    event = event_log.append(connection, [new], at)[0]
    row = members.insert().values(
        conversation_id=conv,
        user_id=person.id,
        role=role,
        joined_at=at,
        read_seq=event.seq,  # older messages do not count as unread
    )
    connection.execute(row)
    invitations.forget_departure(connection, conv, person.id)
    return event


def remove_member(
    connection: sa.Connection,
    conv: int,
    person: PublicUser,
    at: int,
    *,
    actor: PublicUser | None = None,
) -> list[Event]:
    """End a membership; return the events.

    If the owner leaves, the member with the oldest membership becomes the owner.
    """
    previous_role = require_member(connection, conv, person.id)
    membership = (members.c.conversation_id == conv) & (members.c.user_id == person.id)
    connection.execute(members.delete().where(membership))
    invitations.record_departure(connection, conv, person.id, removed=actor is not None)
    change = "removed" if actor else "left"
    new_events = [
        NewEvent(conv, "member", actor or person, change, subject=person if actor else None)
    ]
    if previous_role == "owner" and (successor := _longest_member(connection, conv)) is not None:
        set_role(connection, conv, successor.id, "owner")
        new_events.append(NewEvent(conv, "member", person, "owner", subject=successor))
    elif previous_role == "owner":
        invitations.end_all_of_group(connection, conv)
    return event_log.append(connection, new_events, at)


def set_role(connection: sa.Connection, conv: int, user_id: int, new_role: str) -> None:
    """Set the role of a member: owner or member."""
    membership = (members.c.conversation_id == conv) & (members.c.user_id == user_id)
    connection.execute(members.update().where(membership).values(role=new_role))


def _longest_member(connection: sa.Connection, conv: int) -> PublicUser | None:
    query = (
        sa.select(*public_user_columns())
        .join(members, members.c.user_id == users.c.id)
        .where(members.c.conversation_id == conv)
        .order_by(members.c.joined_at, users.c.id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return PublicUser(*row) if row else None


def shares_conversation(connection: sa.Connection, one: int, other: int) -> bool:
    """Return whether two users are members of the same conversation."""
    mine, theirs = members.alias(), members.alias()
    shared = sa.exists().where(
        mine.c.user_id == one,
        theirs.c.user_id == other,
        mine.c.conversation_id == theirs.c.conversation_id,
    )
    return bool(connection.scalar(sa.select(shared)))


def pair_key(one: int, other: int) -> str:
    """Return the key of the private chat of two users: the ids in ascending order."""
    return "{}-{}".format(*sorted((one, other)))


@functools.cache
def _blocked_statement(count: int) -> CompiledStatement:
    sender, other = members.alias(), members.alias()
    between = sa.or_(
        (contacts.c.user_id == other.c.user_id) & (contacts.c.other_id == sender.c.user_id),
        (contacts.c.user_id == sender.c.user_id) & (contacts.c.other_id == other.c.user_id),
    )
    return CompiledStatement(
        sa.select(sender.c.conversation_id, sender.c.user_id)
        .join(conversations, conversations.c.id == sender.c.conversation_id)
        .join(
            other,
            (other.c.conversation_id == sender.c.conversation_id)
            & (other.c.user_id != sender.c.user_id),
        )
        .join(contacts, between)
        .where(conversations.c.kind == "private", contacts.c.blocked)
        .where(matches_any_pair(sender.c.conversation_id, sender.c.user_id, count))
    )


def blocked_pairs(
    connection: sa.Connection, memberships: set[tuple[int, int]]
) -> set[tuple[int, int]]:
    """Return the pairs (conversation, sender) of private chats with a block in either direction."""
    found: set[tuple[int, int]] = set()
    for count, values in pair_batches(memberships):
        rows = _blocked_statement(count).fetch_all(connection, values)
        found |= {(conv, user) for conv, user in rows}
    return found


def publish_events(hub: Hub, events: list[Event]) -> None:
    """Publish events to the members of their conversations.

    The connections of a new member are subscribed before the event of the membership, and those of
    a former member are unsubscribed after the event of its end, so both receive it.
    """
    for event in events:
        topic = topics.conversation(event.conv)
        member = event.subject or event.author
        if event.type == "member" and event.text in ("created", "joined", "added"):
            hub.send_control(topics.user(member.id), Subscribe([topic]))
        hub.publish(topic, event.to_dict())
        if event.type == "member" and event.text in ("left", "removed"):
            hub.send_control(topics.user(member.id), Unsubscribe([topic]))
