"""Invitations to groups: people become members of a group only if they want to.

The owner of a group adds directly those alone who have the owner in their contact list. All others
are invited. These functions work in the transaction of their caller.

An invitation of somebody who is blocked is stored like any other, so that the inviter sees no
difference, but the invited person does not see it. One that is declined, and one that is removed
because the invited person blocks the inviter, look alike to the inviter: it is gone.
"""

from typing import Any

import sqlalchemy as sa

from capstone_chat.conversations.users import PublicUser, public_user_columns
from capstone_chat.realtime import protocol, topics
from capstone_chat.realtime.broker import Broker
from capstone_chat.storage.tables import (
    contacts,
    conversations,
    departures,
    invitations,
    members,
    users,
)

MAX_PENDING_PER_USER = 50
"""Invitations to one user, of all groups."""

MAX_PENDING_PER_PAIR = 5
"""Invitations of one user by one other: who owns many groups could fill the list of somebody."""

MAX_PENDING_PER_GROUP = 200
"""Invitations to one group."""


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

_GROUP_IDS = sa.select(invitations.c.conversation_id).where(
    invitations.c.user_id == sa.bindparam("user"), _UNBLOCKED
)


def group_ids_for(connection: sa.Connection, user_id: int) -> list[int]:
    """Return the ids of the groups to which a user is invited."""
    return list(connection.scalars(_GROUP_IDS, {"user": user_id}))


def list_for(
    connection: sa.Connection, user_id: int, conv: int | None = None
) -> list[dict[str, Any]]:
    """Return the invitations of a user, the newest first, or the one to a group."""
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
    """Return the people who are invited to a group, by nickname."""
    query = (
        sa.select(*public_user_columns(), users.c.name, invitations.c.at)
        .join(invitations, invitations.c.user_id == users.c.id)
        .where(invitations.c.conversation_id == conv)
        .order_by(users.c.nickname, users.c.id)
    )
    return [row._asdict() for row in connection.execute(query)]


def is_full(connection: sa.Connection, conv: int, user_id: int, inviter_id: int) -> bool:
    """Tell whether one more invitation exceeds a limit. Those that are not seen count as well, or
    the answer would tell who has blocked the inviter."""
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
    """Tell whether a user is invited to a group, whether or not the invitation is seen."""
    return bool(connection.scalar(sa.select(sa.exists().where(_is_invitation(conv, user_id)))))


def is_invited_by(connection: sa.Connection, user_id: int, inviter_id: int) -> bool:
    """Tell whether a user sees an invitation by somebody."""
    condition = (
        (invitations.c.user_id == user_id) & (invitations.c.invited_by == inviter_id) & _UNBLOCKED
    )
    return bool(connection.scalar(sa.select(sa.exists().where(condition))))


def add(connection: sa.Connection, conv: int, user_id: int, inviter_id: int, at: int) -> None:
    """Invite a user to a group.

    Args:
        inviter_id: the user who invites.
        at: milliseconds since 1970.
    """
    row = {"conversation_id": conv, "user_id": user_id, "invited_by": inviter_id, "at": at}
    connection.execute(invitations.insert().values(row))


def end(connection: sa.Connection, conv: int, user_id: int) -> bool:
    """Remove an invitation, and tell whether the invited person saw it."""
    seen = conv in group_ids_for(connection, user_id)
    connection.execute(invitations.delete().where(_is_invitation(conv, user_id)))
    return seen


def end_between(connection: sa.Connection, one: int, other: int) -> list[tuple[int, int]]:
    """Remove all invitations of two users by each other; return (conversation, invited user) of
    those that were seen."""
    between = sa.or_(
        (invitations.c.user_id == one) & (invitations.c.invited_by == other),
        (invitations.c.user_id == other) & (invitations.c.invited_by == one),
    )
    query = sa.select(invitations.c.conversation_id, invitations.c.user_id)
    seen = [(conv, user) for conv, user in connection.execute(query.where(between, _UNBLOCKED))]
    connection.execute(invitations.delete().where(between))
    return seen


def end_all_of_user(connection: sa.Connection, user_id: int) -> None:
    """Remove all invitations to and by a user who deletes the account."""
    condition = (invitations.c.user_id == user_id) | (invitations.c.invited_by == user_id)
    connection.execute(invitations.delete().where(condition))
    connection.execute(departures.delete().where(departures.c.user_id == user_id))


def end_all_of_group(connection: sa.Connection, conv: int) -> None:
    """Remove all invitations to a group that has no members any more."""
    for table in invitations, departures:
        connection.execute(table.delete().where(table.c.conversation_id == conv))


def record_departure(connection: sa.Connection, conv: int, user_id: int) -> None:
    """Remember that a member has gone: to come back is up to them."""
    forget_departure(connection, conv, user_id)
    row = {"conversation_id": conv, "user_id": user_id}
    connection.execute(departures.insert().values(row))


def forget_departure(connection: sa.Connection, conv: int, user_id: int) -> None:
    """Forget that a user, who is a member again, once left."""
    connection.execute(departures.delete().where(_is_departure(conv, user_id)))


def has_departed(connection: sa.Connection, conv: int, user_id: int) -> bool:
    """Tell whether a user left a group, or was removed from it, and did not come back."""
    return bool(connection.scalar(sa.select(sa.exists().where(_is_departure(conv, user_id)))))


def _is_departure(conv: int, user_id: int) -> sa.ColumnElement[bool]:
    return (departures.c.conversation_id == conv) & (departures.c.user_id == user_id)


def publish(broker: Broker, user_id: int, invitation: dict[str, Any]) -> None:
    """Show a user's open pages a new invitation (see `list_for`)."""
    broker.publish(topics.user(user_id), protocol.encode({"type": "invited"} | invitation))


def publish_end(broker: Broker, user_id: int, conv: int) -> None:
    """Tell a user's open pages that an invitation is gone: used, declined or withdrawn."""
    event = {"type": "invitation_ended", "conv": conv}
    broker.publish(topics.user(user_id), protocol.encode(event))
