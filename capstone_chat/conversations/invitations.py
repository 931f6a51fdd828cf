"""Invitations to groups: users become members of a group only with their consent.

The owner of a group can directly add only users who have the owner in their contact list. All other
users are invited. The functions run in the caller's transaction.

An invitation by a blocked user is stored like any other, so that the inviter cannot detect the
block, but it is hidden from the invited user. The inviter cannot distinguish a declined invitation
from one that was removed because the invited user has blocked the inviter.
"""

from typing import Any

import sqlalchemy as sa

from capstone_chat.conversations.users import PublicUser, public_user_columns
from capstone_chat.realtime import topics
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage.compiled import CompiledStatement
from capstone_chat.storage.tables import (
    contacts,
    conversations,
    departures,
    invitations,
    invite_links,
    members,
    users,
)

MAX_PENDING_PER_USER = 50
"""Maximum number of invitations to one user, to all groups together."""

MAX_PENDING_PER_PAIR = 5
"""Maximum number of invitations from one user to another, so that an owner of many groups cannot
fill a user's list."""

MAX_PENDING_PER_GROUP = 200
"""Maximum number of invitations to one group."""


def _is_invitation(conv: int, user_id: int) -> sa.ColumnElement[bool]:
    return (invitations.c.conversation_id == conv) & (invitations.c.user_id == user_id)


_UNBLOCKED = ~sa.exists().where(
    contacts.c.blocked,
    sa.or_(
        (contacts.c.user_id == invitations.c.user_id)
        & (contacts.c.other_id == invitations.c.invited_by),
        (contacts.c.user_id == invitations.c.invited_by)
        & (contacts.c.other_id == invitations.c.user_id),
    ),
)

_GROUP_IDS = CompiledStatement(
    sa.select(invitations.c.conversation_id).where(
        invitations.c.user_id == sa.bindparam("user"), _UNBLOCKED
    )
)


def group_ids_for(connection: sa.Connection, user_id: int) -> list[int]:
    """Return the ids of the groups to which a user has visible invitations."""
    return [conv for (conv,) in _GROUP_IDS.fetch_all(connection, {"user": user_id})]


def list_for(
    connection: sa.Connection, user_id: int, conv: int | None = None
) -> list[dict[str, Any]]:
    """Return a user's visible invitations, the newest first; with `conv` only that to a group."""
    size = (
        sa.select(sa.func.count())
        .where(members.c.conversation_id == conversations.c.id)
        .scalar_subquery()
    )
    query = (
        sa.select(conversations.c.id, conversations.c.title, size, invitations.c.at, users.c.name)
        .add_columns(*public_user_columns())
        .join_from(invitations, conversations)
        .join(users, users.c.id == invitations.c.invited_by)
        .where(invitations.c.user_id == user_id, _UNBLOCKED)
        .order_by(invitations.c.at.desc(), conversations.c.id)
    )
    if conv is not None:
        query = query.where(conversations.c.id == conv)
    return [
        {
            "conv": id_,
            "title": title,
            "members": count,
            "by": PublicUser(*person).to_public_dict() | {"name": name},
            "at": at,
        }
        for id_, title, count, at, name, *person in connection.execute(query)
    ]


def list_invited_users(connection: sa.Connection, conv: int) -> list[dict[str, Any]]:
    """Return the users who are invited to a group, sorted by nickname."""
    query = (
        sa.select(*public_user_columns(), users.c.name, invitations.c.at)
        .join(invitations, invitations.c.user_id == users.c.id)
        .where(invitations.c.conversation_id == conv)
        .order_by(users.c.nickname, users.c.id)
    )
    return [row._asdict() for row in connection.execute(query)]


def is_full(connection: sa.Connection, conv: int, user_id: int, inviter_id: int) -> bool:
    """Return whether one more invitation exceeds a limit.

    Hidden invitations count too. Otherwise the result would reveal which users have blocked the
    inviter.
    """
    to_user = invitations.c.user_id == user_id
    for condition, limit in (
        (to_user, MAX_PENDING_PER_USER),
        (to_user & (invitations.c.invited_by == inviter_id), MAX_PENDING_PER_PAIR),
        (invitations.c.conversation_id == conv, MAX_PENDING_PER_GROUP),
    ):
        if (connection.scalar(sa.select(sa.func.count()).where(condition)) or 0) >= limit:
            return True
    return False


def exists(connection: sa.Connection, conv: int, user_id: int) -> bool:
    """Return whether a user is invited to a group, by a visible or a hidden invitation."""
    return bool(connection.scalar(sa.select(sa.exists().where(_is_invitation(conv, user_id)))))


def is_invited_by(connection: sa.Connection, user_id: int, inviter_id: int) -> bool:
    """Return whether a user has a visible invitation from another user."""
    condition = (
        (invitations.c.user_id == user_id) & (invitations.c.invited_by == inviter_id) & _UNBLOCKED
    )
    return bool(connection.scalar(sa.select(sa.exists().where(condition))))


def add(connection: sa.Connection, conv: int, user_id: int, inviter_id: int, at: int) -> None:
    """Invite a user to a group.

    Args:
        connection: the connection with the transaction.
        conv: the group.
        user_id: the invited user.
        inviter_id: the user who invites.
        at: milliseconds since 1970.
    """
    row = {"conversation_id": conv, "user_id": user_id, "invited_by": inviter_id, "at": at}
    connection.execute(invitations.insert().values(row))


def end(connection: sa.Connection, conv: int, user_id: int) -> bool:
    """Remove an invitation; return whether it was visible to the invited user."""
    seen = conv in group_ids_for(connection, user_id)
    connection.execute(invitations.delete().where(_is_invitation(conv, user_id)))
    return seen


def end_between(connection: sa.Connection, one: int, other: int) -> list[tuple[int, int]]:
    """Remove the invitations of two users by each other.

    Returns:
        (conversation, invited user) of the invitations that were visible.
    """
    between = sa.or_(
        (invitations.c.user_id == one) & (invitations.c.invited_by == other),
        (invitations.c.user_id == other) & (invitations.c.invited_by == one),
    )
    query = sa.select(invitations.c.conversation_id, invitations.c.user_id)
    seen = [(conv, user) for conv, user in connection.execute(query.where(between, _UNBLOCKED))]
    connection.execute(invitations.delete().where(between))
    return seen


def end_all_of_user(connection: sa.Connection, user_id: int) -> None:
    """Remove all invitations to and by a user, and the user's departures."""
    condition = (invitations.c.user_id == user_id) | (invitations.c.invited_by == user_id)
    connection.execute(invitations.delete().where(condition))
    connection.execute(departures.delete().where(departures.c.user_id == user_id))


def end_all_of_group(connection: sa.Connection, conv: int) -> None:
    """Remove all invitations to a group, its invite link, and the departures from it."""
    for table in invitations, invite_links, departures:
        connection.execute(table.delete().where(table.c.conversation_id == conv))


def record_departure(connection: sa.Connection, conv: int, user_id: int, *, removed: bool) -> None:
    """Record that a member has left; from then on the owner cannot add the user directly.

    Args:
        connection: the connection with the transaction.
        conv: the group.
        user_id: the former member.
        removed: whether the owner has removed the member; an invite link does not let them in.
    """
    forget_departure(connection, conv, user_id)
    row = {"conversation_id": conv, "user_id": user_id, "removed": removed}
    connection.execute(departures.insert().values(row))


def forget_departure(connection: sa.Connection, conv: int, user_id: int) -> None:
    """Delete the record that a user has left a group."""
    connection.execute(departures.delete().where(_is_departure(conv, user_id)))


def has_departed(connection: sa.Connection, conv: int, user_id: int) -> bool:
    """Return whether a user has left a group or was removed, and is not a member again."""
    return bool(connection.scalar(sa.select(sa.exists().where(_is_departure(conv, user_id)))))


def was_removed(connection: sa.Connection, conv: int, user_id: int) -> bool:
    """Return whether the owner has removed a user who has not become a member again."""
    condition = _is_departure(conv, user_id) & departures.c.removed
    return bool(connection.scalar(sa.select(sa.exists().where(condition))))


def _is_departure(conv: int, user_id: int) -> sa.ColumnElement[bool]:
    return (departures.c.conversation_id == conv) & (departures.c.user_id == user_id)


def publish(hub: Hub, user_id: int, invitation: dict[str, Any]) -> None:
    """Publish a new invitation to the invited user (see `list_for`)."""
    hub.publish(topics.user(user_id), {"type": "invited"} | invitation)


def publish_end(hub: Hub, user_id: int, conv: int) -> None:
    """Publish to the invited user that an invitation was used, declined or withdrawn."""
    event = {"type": "invitation_ended", "conv": conv}
    hub.publish(topics.user(user_id), event)
