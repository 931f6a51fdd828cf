"""A user's conversations, groups and private chats alike: what is in them, how far it was read."""

import contextlib
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from capstone_chat import bus, events, protocol
from capstone_chat.accounts import ALIVE
from capstone_chat.bus import Bus
from capstone_chat.database import Database, insert_row, now
from capstone_chat.events import Event
from capstone_chat.membership import (
    NotFound,
    Refused,
    admit,
    announce,
    blocked_pairs,
    heads,
    pair_of,
    require_member,
)
from capstone_chat.people import Person, columns
from capstone_chat.schema import contacts, conversations, members, users
from capstone_chat.schema import events as log

UNREAD_LIMIT = 100
"""Unread messages of a conversation that are counted at the most."""


class Conversations:
    """Reads conversations, opens private ones, and moves read marks.

    Args:
        clock: milliseconds since 1970.
    """

    def __init__(self, database: Database, bus: Bus, *, clock: Callable[[], int] = now) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock

    async def of(self, user: Person) -> list[dict[str, Any]]:
        """Return the user's conversations as the page shows them, the liveliest first."""
        return await self._database.read(lambda connection: _overview(connection, user.id))

    async def one(self, user: Person, conv: int) -> dict[str, Any]:
        """Return one of them.

        Raises:
            NotFound: the user is not a member.
        """
        found = await self._database.read(lambda connection: _overview(connection, user.id, conv))
        if not found:
            raise NotFound(conv)
        return found[0]

    async def heads(self, user: Person) -> dict[int, int]:
        """Return the newest seq of each conversation of the user."""
        return await self._database.look_up(lambda connection: heads(connection, user.id))

    async def open_private(self, user: Person, other: int) -> int:
        """Return the id of the private chat of two people, which is made if there is none yet.

        Raises:
            NotFound: there is no such user, or neither a contact nor a shared group leads there.
            Refused: it is the user, or one of the two has blocked the other.
        """
        if other == user.id:
            raise Refused("yourself", "That is you.")
        at = self._clock()
        pair = pair_of(user.id, other)
        known = sa.select(conversations.c.id).where(conversations.c.pair == pair)

        def change(connection: sa.Connection) -> list[Event]:
            peer = _reachable(connection, user.id, other)
            if connection.scalar(known) is not None:
                return []
            row = conversations.insert().values(
                kind="private",
                title="",
                title_key="",
                description="",
                public=False,
                pair=pair,
                head=0,
                created_at=at,
            )
            conv = insert_row(connection, row)
            return [
                admit(connection, conv, user, "created", at),
                admit(connection, conv, peer, "added", at, by=user),
            ]

        with contextlib.suppress(sa.exc.IntegrityError):  # both opened it at once
            await self._database.write(change, lambda told: announce(self._bus, told))
        conv = await self._database.read(lambda connection: connection.scalar(known))
        if conv is None:  # the other one has deleted the account meanwhile
            raise NotFound(other)
        return int(conv)

    async def members(self, user: Person, conv: int) -> list[dict[str, Any]]:
        """Return the members of a conversation, the owner first, then by nickname.

        Raises:
            NotFound: the user is not one of them.
        """
        query = (
            sa.select(*columns(), users.c.name, members.c.role)
            .join(members, members.c.user_id == users.c.id)
            .where(members.c.conversation_id == conv)
            .order_by(members.c.role.desc(), users.c.nickname, users.c.id)
        )

        def read(connection: sa.Connection) -> list[dict[str, Any]]:
            require_member(connection, conv, user.id)
            return [row._asdict() for row in connection.execute(query)]

        return await self._database.read(read)

    async def history(
        self, user: Person, conv: int, *, before: int | None, after: int | None, limit: int
    ) -> tuple[list[Event], int]:
        """Return a page of events (see `events.page`) and the newest seq.

        Raises:
            NotFound: the user is not a member.
        """
        head = sa.select(conversations.c.head).where(conversations.c.id == conv)

        def read(connection: sa.Connection) -> tuple[list[Event], int]:
            require_member(connection, conv, user.id)
            newest = connection.execute(head).scalar_one()
            return events.page(connection, conv, before=before, after=after, limit=limit), newest

        return await self._database.read(read)

    async def find(
        self, user: Person, conv: int, text: str, *, before: int | None, limit: int
    ) -> list[Event]:
        """Return messages that hold a text, the newest first; none for an empty text.

        Raises:
            NotFound: the user is not a member.
        """

        def read(connection: sa.Connection) -> list[Event]:
            require_member(connection, conv, user.id)
            if not text:
                return []
            return events.find(connection, conv, text, before=before, limit=limit)

        return await self._database.read(read)

    async def mark_read(self, user: Person, conv: int, seq: int) -> None:
        """Move the user's read mark forward, never back and never past the newest event.

        The user's other tabs hear of it, and in a private chat the other person does.

        Raises:
            NotFound: the user is not a member.
        """
        place = (members.c.conversation_id == conv) & (members.c.user_id == user.id)
        head = sa.select(conversations.c.head).where(conversations.c.id == conv).scalar_subquery()
        move = (
            members.update()
            .where(place, members.c.read_seq < seq, head >= seq)
            .values(read_seq=seq)
        )
        kind = sa.select(conversations.c.kind).where(conversations.c.id == conv)

        def change(connection: sa.Connection) -> str | None:
            if connection.execute(move).rowcount == 0:
                require_member(connection, conv, user.id)
                return None
            # Somebody who is blocked is not to see when the other one reads.
            hidden = blocked_pairs(connection, {(conv, user.id)})
            return "hidden" if hidden else connection.scalar(kind)

        def tell(moved: str | None) -> None:
            if moved:
                topic = bus.conversation(conv) if moved == "private" else bus.user(user.id)
                event = {"type": "read", "conv": conv, "seq": seq, "user": user.id}
                self._bus.publish(topic, protocol.encode(event))

        await self._database.write(change, tell)


def _reachable(connection: sa.Connection, user_id: int, other: int) -> Person:
    """Return somebody whom the user may write to: a contact, or a member of a shared group."""
    between = sa.or_(
        (contacts.c.user_id == user_id) & (contacts.c.other_id == other),
        (contacts.c.user_id == other) & (contacts.c.other_id == user_id),
    )
    marks = connection.execute(
        sa.select(contacts.c.user_id, contacts.c.blocked).where(between)
    ).all()
    mine, theirs = members.alias(), members.alias()
    shared = sa.select(
        sa.exists().where(
            mine.c.user_id == user_id,
            theirs.c.user_id == other,
            mine.c.conversation_id == theirs.c.conversation_id,
        )
    )
    if not any(by == user_id for by, _ in marks) and not connection.scalar(shared):
        raise NotFound(other)
    row = connection.execute(sa.select(*columns()).where(users.c.id == other, ALIVE)).one_or_none()
    if row is None:
        raise NotFound(other)
    if any(blocked for _, blocked in marks):
        raise Refused("blocked", "You cannot write to each other.")
    return Person(*row)


def _overview(
    connection: sa.Connection, user_id: int, conv: int | None = None
) -> list[dict[str, Any]]:
    others = members.alias()
    size = (
        sa.select(sa.func.count())
        .where(others.c.conversation_id == conversations.c.id)
        .scalar_subquery()
    )
    # The last ones are looked at, not all: the page shows "99+" for more.
    oldest = conversations.c.head - UNREAD_LIMIT
    since = sa.case((oldest > members.c.read_seq, oldest), else_=members.c.read_seq)
    unread = (
        sa.select(sa.func.count())
        .where(
            log.c.conversation_id == conversations.c.id,
            log.c.seq > since,
            log.c.text.is_not(None),
            log.c.type == "message",
            log.c.user_id != user_id,
        )
        .scalar_subquery()
    )
    query = (
        sa.select(
            conversations,
            members.c.role,
            members.c.read_seq,
            size.label("members"),
            unread.label("unread"),
        )
        .join(members)
        .where(members.c.user_id == user_id)
    )
    if conv is not None:
        query = query.where(conversations.c.id == conv)
    rows = connection.execute(query).all()
    last = events.newest(connection, [row.id for row in rows])
    peers = _peers(connection, user_id, [row.id for row in rows if row.kind == "private"])
    found = [
        {
            "id": row.id,
            "kind": row.kind,
            "title": row.title,
            "description": row.description,
            "public": row.public,
            "head": row.head,
            "read": row.read_seq,
            "unread": row.unread,
            "role": row.role,
            "members": row.members,
            "last": last[row.id].public() if row.id in last else None,
            **({"peer_deleted": row.pair is None} if row.kind == "private" else {}),
            **peers.get(row.id, {}),
        }
        for row in rows
    ]
    return sorted(found, key=lambda one: one["last"]["at"] if one["last"] else 0, reverse=True)


def _peers(connection: sa.Connection, user_id: int, convs: list[int]) -> dict[int, dict[str, Any]]:
    """Return of each private chat the other person, and how far they have read.

    Somebody who is blocked is not to see that.
    """
    query = (
        sa.select(members.c.conversation_id, members.c.read_seq, *columns(), users.c.name)
        .join(users, users.c.id == members.c.user_id)
        .where(members.c.conversation_id.in_(convs), members.c.user_id != user_id)
    )
    if not convs:
        return {}
    hidden = {conv for conv, _ in blocked_pairs(connection, {(conv, user_id) for conv in convs})}
    return {
        conv: {
            "peer": {**Person(*person).public(), "name": name},
            "peer_read": 0 if conv in hidden else read,
        }
        for conv, read, *person, name in connection.execute(query)
    }
