"""A user's conversations, groups and private chats alike: what is in them, how far it was read."""

import contextlib
import functools
import itertools
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from capstone_chat.conversations import event_log
from capstone_chat.conversations.event_log import Event
from capstone_chat.conversations.membership import (
    NotAllowed,
    NotFound,
    admit,
    announce,
    blocked_pairs,
    heads,
    pair_of,
    require_member,
    require_room_for,
    role,
    shares_conversation,
)
from capstone_chat.conversations.users import Gone, Person, columns, lock_active_users
from capstone_chat.realtime import protocol, topics
from capstone_chat.realtime.broker import Broker
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.sql import insert_returning_id, pair_batches
from capstone_chat.storage.tables import contacts, conversations, members, users
from capstone_chat.storage.tables import events as log
from capstone_chat.text import names
from capstone_chat.text.search_folding import fold

UNREAD_LIMIT = 100
"""Unread messages of a conversation that are counted at the most."""

PAGE = 100
"""Conversations in one page of the list at the most."""

MEMBERS_PAGE = 100
"""Members in one page at the most."""

Cursor = tuple[int, int]
"""The last conversation of a page: the time of its newest event (ms since 1970) and its id."""


class Conversations:
    """Reads conversations, opens private ones, and moves read marks.

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
        self, user: Person, *, before: Cursor | None = None, query: str = ""
    ) -> tuple[list[dict[str, Any]], Cursor | None]:
        """Return a page of the user's conversations as JSON, the liveliest first.

        Args:
            before: cursor of the page.
            query: only groups whose title, and private chats where the name or nickname of the
                other person, holds this text.

        Returns:
            The conversations, and the cursor of the next page, None after the last.
        """

        def read(connection: sa.Connection) -> tuple[list[dict[str, Any]], Cursor | None]:
            found = _liveliest(connection, user.id, before, query)
            page = found[:PAGE]
            more = len(found) > PAGE
            return _overview(connection, user.id, [conv for _, conv in page]), (
                page[-1] if more else None
            )

        return await self._database.read(read)

    async def get(self, user: Person, conv: int) -> dict[str, Any]:
        """Return one of them.

        Raises:
            NotFound: the user is not a member.
        """
        found = await self._database.read(lambda connection: _overview(connection, user.id, [conv]))
        if not found:
            raise NotFound(conv)
        return found[0]

    async def heads(self, user: Person) -> dict[int, int]:
        """Return the newest seq of each conversation of the user."""
        return await self._database.read_batched(lambda connection: heads(connection, user.id))

    async def get_or_create_private(self, user: Person, other: int) -> int:
        """Return the id of the private chat of two people, which is made if there is none yet.

        Raises:
            NotFound: there is no such user, or neither a contact nor a shared group leads there.
            Refused: it is the user, one of the two has blocked the other, or one of them is in too
                many private chats.
        """
        if other == user.id:
            raise NotAllowed("yourself", "That is you.")
        at = self._clock()
        pair = pair_of(user.id, other)
        known = sa.select(conversations.c.id).where(conversations.c.pair == pair)

        def change(connection: sa.Connection) -> list[Event]:
            peer = _reachable(connection, user.id, other)
            if connection.scalar(known) is not None:
                return []
            for person in user.id, other:
                require_room_for(connection, person, "private")
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
            conv = insert_returning_id(connection, row)
            return [
                admit(connection, conv, user, "created", at),
                admit(connection, conv, peer, "added", at, by=user),
            ]

        with contextlib.suppress(sa.exc.IntegrityError):  # both opened it at once
            await self._database.write(change, lambda told: announce(self._broker, told))
        conv = await self._database.read(lambda connection: connection.scalar(known))
        if conv is None:  # the other one has deleted the account meanwhile
            raise NotFound(other)
        return int(conv)

    async def list_members(
        self, user: Person, conv: int, *, after: int | None = None, query: str = ""
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Return a page of the members of a conversation, the owner first, then by nickname.

        Args:
            after: cursor of the page: the last user of the page before it.
            query: only those whose name or nickname holds this text. SQLite folds the case of
                ASCII letters only in a nickname.

        Returns:
            The members, and the cursor of the next page, None after the last.

        Raises:
            NotFound: the user is not a member.
        """
        selected = (
            sa.select(*columns(), users.c.name, members.c.role)
            .join(members, members.c.user_id == users.c.id)
            .where(members.c.conversation_id == conv)
            .order_by(members.c.role.desc(), users.c.nickname, users.c.id)
            .limit(MEMBERS_PAGE + 1)
        )
        if query:
            key = names.canonical_key(query)
            name = users.c.name_key.contains(key, autoescape=True)
            nickname = sa.func.lower(users.c.nickname).contains(key, autoescape=True)
            exact = users.c.nickname.contains(query, autoescape=True)
            selected = selected.where(name | nickname | exact)

        def read(connection: sa.Connection) -> tuple[list[dict[str, Any]], int | None]:
            require_member(connection, conv, user.id)
            page = selected
            if after is not None:
                page = page.where(_members_after(connection, conv, after))
            found = [row._asdict() for row in connection.execute(page)]
            more = len(found) > MEMBERS_PAGE
            return found[:MEMBERS_PAGE], found[MEMBERS_PAGE - 1]["id"] if more else None

        return await self._database.read(read)

    async def history(
        self, user: Person, conv: int, *, before: int | None, after: int | None, limit: int
    ) -> tuple[list[Event], int]:
        """Return a page of events (see `event_log.page`) and the newest seq.

        Raises:
            NotFound: the user is not a member.
        """
        head = sa.select(conversations.c.head).where(conversations.c.id == conv)

        def read(connection: sa.Connection) -> tuple[list[Event], int]:
            require_member(connection, conv, user.id)
            newest = connection.execute(head).scalar_one()
            return event_log.page(connection, conv, before=before, after=after, limit=limit), newest

        return await self._database.read(read)

    async def search(
        self, user: Person, conv: int, text: str, *, before: int | None, limit: int
    ) -> tuple[list[Event], int | None]:
        """Return messages that hold a text, the newest first (see `event_log.find`); none for an
        empty text.

        Raises:
            NotFound: the user is not a member.
        """

        def read(connection: sa.Connection) -> tuple[list[Event], int | None]:
            require_member(connection, conv, user.id)
            if not text:
                return [], None
            return event_log.find(connection, conv, text, before=before, limit=limit)

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
                topic = topics.conversation(conv) if moved == "private" else topics.user(user.id)
                event = {"type": "read", "conv": conv, "seq": seq, "user": user.id}
                self._broker.publish(topic, protocol.encode(event))

        await self._database.write(change, tell)


def _reachable(connection: sa.Connection, user_id: int, other: int) -> Person:
    """Return somebody whom the user may write to: a contact, or a member of a shared group.

    Both users are locked until the commit, so neither blocks the other before that.
    """
    alive = lock_active_users(connection, user_id, other)
    if user_id not in alive:
        raise Gone
    between = sa.or_(
        (contacts.c.user_id == user_id) & (contacts.c.other_id == other),
        (contacts.c.user_id == other) & (contacts.c.other_id == user_id),
    )
    marks = connection.execute(
        sa.select(contacts.c.user_id, contacts.c.blocked).where(between)
    ).all()
    known = any(by == user_id for by, _ in marks)
    if not known and not shares_conversation(connection, user_id, other):
        raise NotFound(other)
    if other not in alive:
        raise NotFound(other)
    if any(blocked for _, blocked in marks):
        raise NotAllowed("blocked", "You cannot write to each other.")
    return Person(*connection.execute(sa.select(*columns()).where(users.c.id == other)).one())


def _members_after(connection: sa.Connection, conv: int, user_id: int) -> sa.ColumnElement[bool]:
    """Return the condition of the members that follow a user, who may have left meanwhile."""
    place = sa.select(users.c.nickname).where(users.c.id == user_id)
    nickname = connection.scalar(place) or ""
    last = role(connection, conv, user_id) or "member"
    following = sa.or_(
        users.c.nickname > nickname, (users.c.nickname == nickname) & (users.c.id > user_id)
    )
    return (members.c.role < last) | ((members.c.role == last) & following)


def _liveliest(
    connection: sa.Connection, user_id: int, before: Cursor | None, query: str
) -> list[tuple[int, int]]:
    """Return the time of the newest event and the id of a user's conversations, the newest first:
    one more than a page, or all of them."""
    at = sa.func.coalesce(log.c.at, conversations.c.created_at)
    newest = (log.c.conversation_id == conversations.c.id) & (log.c.seq == conversations.c.head)
    found = (
        sa.select(at, conversations.c.id)
        .select_from(members)
        .join(conversations)
        .outerjoin(log, newest)
        .where(members.c.user_id == user_id)
        .order_by(at.desc(), conversations.c.id.desc())
    )
    if before is not None:
        found = found.where(
            (at < before[0]) | ((at == before[0]) & (conversations.c.id < before[1]))
        )
    if query:
        return _titled(connection, user_id, found, fold(query))
    return [(time, conv) for time, conv in connection.execute(found.limit(PAGE + 1))]


def _titled(
    connection: sa.Connection, user_id: int, found: sa.Select[Any], key: str
) -> list[tuple[int, int]]:
    """Return those whose title, or name or nickname of the other person, holds a key.

    Names are compared here, as no column holds them folded. The number of rows is bounded by the
    limits of `membership`.
    """
    other = members.alias()
    peer = (
        (other.c.conversation_id == conversations.c.id)
        & (conversations.c.kind == "private")
        & (other.c.user_id != user_id)
    )
    found = found.add_columns(conversations.c.title_key, users.c.name_key, users.c.nickname)
    found = found.outerjoin(other, peer).outerjoin(users, users.c.id == other.c.user_id)
    matching = (
        (time, conv)
        for time, conv, title, name, nickname in connection.execute(found)
        if key in title or key in fold(name or "") or key in fold(nickname or "")
    )
    return list(itertools.islice(matching, PAGE + 1))


def _overview(connection: sa.Connection, user_id: int, convs: list[int]) -> list[dict[str, Any]]:
    """Return those of some conversations that the user is a member of, as JSON, in their order."""
    others = members.alias()
    size = (
        sa.select(sa.func.count())
        .where(others.c.conversation_id == conversations.c.id)
        .scalar_subquery()
    )
    query = (
        sa.select(
            conversations,
            members.c.role,
            members.c.read_seq,
            size.label("members"),
        )
        .join(members)
        .where(members.c.user_id == user_id, members.c.conversation_id.in_(convs))
    )
    rows = connection.execute(query).all()
    last = event_log.newest(connection, [row.id for row in rows])
    unread = _unread(connection, user_id, {row.id: (row.read_seq, row.head) for row in rows})
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
            "unread": unread.get(row.id, 0),
            "role": row.role,
            "members": row.members,
            "last": last[row.id].public() if row.id in last else None,
            **({"peer_deleted": row.pair is None} if row.kind == "private" else {}),
            **peers.get(row.id, {}),
        }
        for row in rows
    ]
    place = {conv: number for number, conv in enumerate(convs)}
    return sorted(found, key=lambda one: place[one["id"]])


@functools.cache
def _newer(count: int) -> sa.Select[Any]:
    seq = log.c.seq
    ranges = (
        (log.c.conversation_id == sa.bindparam(f"first{n}")) & (seq > sa.bindparam(f"second{n}"))
        for n in range(count)
    )
    return (
        sa.select(log.c.conversation_id, sa.func.count())
        .where(sa.or_(*ranges), log.c.text.is_not(None), log.c.type == "message")
        .where(log.c.user_id != sa.bindparam("user"))
        .group_by(log.c.conversation_id)
    )


def _unread(
    connection: sa.Connection, user_id: int, places: dict[int, tuple[int, int]]
) -> dict[int, int]:
    """Return the number of unread messages of each conversation that has any.

    The ranges are constants of the statement: where one depends on a row of another table, MariaDB
    reads the whole history. At most the last UNREAD_LIMIT events are counted; the page shows "99+"
    for more.

    Args:
        places: read mark and head of each conversation.
    """
    since = {
        (conv, max(read, head - UNREAD_LIMIT))
        for conv, (read, head) in places.items()
        if head > read
    }
    found: dict[int, int] = {}
    for count, values in pair_batches(since):
        rows = connection.execute(_newer(count), {"user": user_id, **values})
        found |= {conv: unread for conv, unread in rows}  # noqa: C416 - dict() would not be typed
    return found


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
