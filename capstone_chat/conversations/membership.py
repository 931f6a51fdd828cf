"""The members of conversations: what groups, private chats and messages all read and change.

These functions work in the transaction of the caller.
"""

import functools
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from capstone_chat.conversations import event_log, invitations
from capstone_chat.conversations.errors import NotAllowed, NotFound, SessionEnded
from capstone_chat.conversations.event_log import Event, NewEvent
from capstone_chat.conversations.users import PublicUser, lock_active_users, public_user_columns
from capstone_chat.realtime import protocol, topics
from capstone_chat.realtime.broker import Broker
from capstone_chat.storage.sql import matches_any_pair, pair_batches
from capstone_chat.storage.tables import contacts, conversations, members, users

MAX_MEMBERS = 10_000
"""Members of a group."""

MAX_GROUPS = 500
"""Groups that one user may be a member of."""

MAX_PRIVATE_CHATS = 1500
"""Private chats that one user may be in: with the groups, this bounds `heads`."""


def lock_conversations(connection: sa.Connection, convs: Iterable[int]) -> None:
    """Lock conversations and their members against other processes until the commit.

    SQLite has one writer anyway. Where rows are locked it is always in the same order, or two
    processes would wait for each other.
    """
    if connection.dialect.name != "sqlite":
        rows = sa.select(conversations.c.id).where(conversations.c.id.in_(list(convs)))
        connection.execute(rows.order_by(conversations.c.id).with_for_update()).all()


_HEADS = (
    sa.select(conversations.c.id, conversations.c.head)
    .join(members)
    .where(members.c.user_id == sa.bindparam("user"))
)


def heads_by_conversation(connection: sa.Connection, user_id: int) -> dict[int, int]:
    """Return the newest seq of each conversation of a user."""
    found = connection.execute(_HEADS, {"user": user_id})
    return {conv: head for conv, head in found}  # noqa: C416 - dict() would not be typed


def get_role(connection: sa.Connection, conv: int, user_id: int) -> str | None:
    """Return what a user is in a conversation: owner, member, or None for no member."""
    query = sa.select(members.c.role).where(
        members.c.conversation_id == conv, members.c.user_id == user_id
    )
    return connection.execute(query).scalar_one_or_none()


def require_member(connection: sa.Connection, conv: int, user_id: int) -> str:
    """Return the user's role.

    Raises:
        NotFound: the user is not a member.
    """
    found = get_role(connection, conv, user_id)
    if found is None:
        raise NotFound(conv)
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
    """Refuse another member of a full group, and another group of a user who is in too many.

    Concurrent changes may exceed a limit by a few; a database that exceeds it stays as it is.

    Raises:
        NotAllowed: one of the two is full.
    """
    size = sa.select(sa.func.count()).where(members.c.conversation_id == conv)
    if (connection.scalar(size) or 0) >= MAX_MEMBERS:
        raise NotAllowed("too_many", f"A group has at most {MAX_MEMBERS} members.")
    require_user_capacity(connection, user_id, "group")


def require_user_capacity(connection: sa.Connection, user_id: int, kind: str) -> None:
    """Refuse another conversation of a user who is in too many of the kind.

    Raises:
        NotAllowed: the user is.
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
    """Make somebody a member, and return the event that tells of it.

    Args:
        change: created, joined or added.
        at: milliseconds since 1970.
        actor: the user who did it, if it was another one.

    Raises:
        SessionEnded: the account has been deleted or disabled.
        NotFound: so it has, and somebody else wants to add it.
    """
    if not lock_active_users(connection, person.id):
        raise NotFound(person.id) if actor else SessionEnded
    new = NewEvent(conv, "member", actor or person, change, subject=person if actor else None)
    event = event_log.append(connection, [new], at)[0]
    row = members.insert().values(
        conversation_id=conv,
        user_id=person.id,
        role=role,
        joined_at=at,
        read_seq=event.seq,  # what was said before somebody came is history to them, not news
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
    """End a membership, and return the events that tell of it, as the members see them.

    A group whose owner goes passes to the member who has been there longest.
    """
    previous_role = require_member(connection, conv, person.id)
    membership = (members.c.conversation_id == conv) & (members.c.user_id == person.id)
    connection.execute(members.delete().where(membership))
    invitations.record_departure(connection, conv, person.id)
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
    """Make a member the owner, or an owner a member."""
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
    """Tell whether two users are members of one conversation."""
    mine, theirs = members.alias(), members.alias()
    shared = sa.exists().where(
        mine.c.user_id == one,
        theirs.c.user_id == other,
        mine.c.conversation_id == theirs.c.conversation_id,
    )
    return bool(connection.scalar(sa.select(shared)))


def pair_key(one: int, other: int) -> str:
    """Return what the private chat of two people is known by."""
    return "{}-{}".format(*sorted((one, other)))


@functools.cache
def _blocked_statement(count: int) -> sa.Select[Any]:
    sender, other = members.alias(), members.alias()
    between = sa.or_(
        (contacts.c.user_id == other.c.user_id) & (contacts.c.other_id == sender.c.user_id),
        (contacts.c.user_id == sender.c.user_id) & (contacts.c.other_id == other.c.user_id),
    )
    return (
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
    """Return those of (conversation, sender) that are private chats where one has blocked the
    other, in either direction."""
    found: set[tuple[int, int]] = set()
    for count, values in pair_batches(memberships):
        found |= {
            (conv, user) for conv, user in connection.execute(_blocked_statement(count), values)
        }
    return found


def publish_events(broker: Broker, events: list[Event]) -> None:
    """Publish events of a conversation to its members.

    The connections of a new member are subscribed before the event of that membership, and those
    of a former member are unsubscribed after the event of its end, so both get it.
    """
    for event in events:
        topic = topics.conversation(event.conv)
        member = event.subject or event.author
        if event.type == "member" and event.text in ("created", "joined", "added"):
            broker.send_control(topics.user(member.id), {"enter": [topic]})
        broker.publish(topic, protocol.encode(event.to_dict()))
        if event.type == "member" and event.text in ("left", "removed"):
            broker.send_control(topics.user(member.id), {"leave": [topic]})
