"""Who is in a conversation: what groups, private chats and messages all ask and change.

These functions work in the transaction of whoever calls them.
"""

import functools
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from capstone_chat.conversations import event_log, invitations
from capstone_chat.conversations.event_log import Event, NewEvent
from capstone_chat.conversations.users import Gone, Person, columns, lock_active_users
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


class NotFound(Exception):
    """There is no such thing, or the user may not know of it: the two look alike."""


class NotAllowed(Exception):
    """The user may know of it but not do this. `code` is for programs, the text for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def lock(connection: sa.Connection, convs: Iterable[int]) -> None:
    """Let no other process change these conversations, or who is in them, before this commit.

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


def heads(connection: sa.Connection, user_id: int) -> dict[int, int]:
    """Return the newest seq of each conversation of a user."""
    found = connection.execute(_HEADS, {"user": user_id})
    return {conv: head for conv, head in found}  # noqa: C416 - dict() would not be typed


def role(connection: sa.Connection, conv: int, user_id: int) -> str | None:
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
    found = role(connection, conv, user_id)
    if found is None:
        raise NotFound(conv)
    return found


def require_owner(connection: sa.Connection, conv: int, user_id: int) -> None:
    """Let an owner pass.

    Raises:
        NotFound: the user is not a member.
        Refused: the user is a member, but not the owner.
    """
    if require_member(connection, conv, user_id) != "owner":
        raise NotAllowed("not_owner", "Only the owner of the group can do this.")


def require_room(connection: sa.Connection, conv: int, user_id: int) -> None:
    """Refuse another member of a full group, and another group of a user who is in too many.

    Concurrent changes may exceed a limit by a few; a database that exceeds it stays as it is.

    Raises:
        Refused: one of the two is full.
    """
    size = sa.select(sa.func.count()).where(members.c.conversation_id == conv)
    if (connection.scalar(size) or 0) >= MAX_MEMBERS:
        raise NotAllowed("too_many", f"A group has at most {MAX_MEMBERS} members.")
    require_room_for(connection, user_id, "group")


def require_room_for(connection: sa.Connection, user_id: int, kind: str) -> None:
    """Refuse another conversation of a user who is in too many of the kind.

    Raises:
        Refused: the user is.
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


def admit(
    connection: sa.Connection,
    conv: int,
    person: Person,
    change: str,
    at: int,
    *,
    by: Person | None = None,
    role: str = "member",
) -> Event:
    """Make somebody a member, and return the event that tells of it.

    Args:
        change: created, joined or added.
        at: milliseconds since 1970.
        by: who did it, if somebody else.

    Raises:
        Gone: the account has been deleted or disabled.
        NotFound: so it has, and somebody else wants to add it.
    """
    if not lock_active_users(connection, person.id):
        raise NotFound(person.id) if by else Gone
    new = NewEvent(conv, "member", by or person, change, subject=person if by else None)
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


def dismiss(
    connection: sa.Connection, conv: int, person: Person, at: int, *, by: Person | None = None
) -> list[Event]:
    """End a membership, and return the events that tell of it, as the members see them.

    A group whose owner goes passes to the member who has been there longest.
    """
    was = require_member(connection, conv, person.id)
    place = (members.c.conversation_id == conv) & (members.c.user_id == person.id)
    connection.execute(members.delete().where(place))
    invitations.note_departure(connection, conv, person.id)
    change = "removed" if by else "left"
    new = [NewEvent(conv, "member", by or person, change, subject=person if by else None)]
    if was == "owner" and (heir := _longest_member(connection, conv)) is not None:
        set_role(connection, conv, heir.id, "owner")
        new.append(NewEvent(conv, "member", person, "owner", subject=heir))
    elif was == "owner":
        invitations.end_group(connection, conv)
    return event_log.append(connection, new, at)


def set_role(connection: sa.Connection, conv: int, user_id: int, new: str) -> None:
    """Make a member the owner, or an owner a member."""
    place = (members.c.conversation_id == conv) & (members.c.user_id == user_id)
    connection.execute(members.update().where(place).values(role=new))


def _longest_member(connection: sa.Connection, conv: int) -> Person | None:
    query = (
        sa.select(*columns())
        .join(members, members.c.user_id == users.c.id)
        .where(members.c.conversation_id == conv)
        .order_by(members.c.joined_at, users.c.id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return Person(*row) if row else None


def shares_conversation(connection: sa.Connection, one: int, other: int) -> bool:
    """Tell whether two users are members of one conversation."""
    mine, theirs = members.alias(), members.alias()
    shared = sa.exists().where(
        mine.c.user_id == one,
        theirs.c.user_id == other,
        mine.c.conversation_id == theirs.c.conversation_id,
    )
    return bool(connection.scalar(sa.select(shared)))


def pair_of(one: int, other: int) -> str:
    """Return what the private chat of two people is known by."""
    return "{}-{}".format(*sorted((one, other)))


@functools.cache
def _blocked(count: int) -> sa.Select[Any]:
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


def blocked_pairs(connection: sa.Connection, places: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return those of (conversation, sender) that are private chats where one has blocked the
    other, in either direction."""
    found: set[tuple[int, int]] = set()
    for count, values in pair_batches(places):
        found |= {(conv, user) for conv, user in connection.execute(_blocked(count), values)}
    return found


def announce(to: Broker, told: list[Event]) -> None:
    """Send events of a conversation to its members, those whom they make or unmake included.

    A new member's open sockets first begin to hear the conversation, so that they hear of it too;
    those of one who went hear of that and nothing after it.
    """
    for event in told:
        topic = topics.conversation(event.conv)
        who = event.subject or event.author
        if event.type == "member" and event.text in ("created", "joined", "added"):
            to.send_control(topics.user(who.id), {"enter": [topic]})
        to.publish(topic, protocol.encode(event.public()))
        if event.type == "member" and event.text in ("left", "removed"):
            to.send_control(topics.user(who.id), {"leave": [topic]})
