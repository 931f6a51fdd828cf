"""A user's conversations, groups and private chats alike: what is in them, how far it was read."""

import contextlib
import functools
import itertools
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from capstone_chat.conversations import event_log
from capstone_chat.conversations.errors import NotAllowed, NotFound, SessionEnded
from capstone_chat.conversations.event_log import Event
from capstone_chat.conversations.membership import (
    add_member,
    blocked_pairs,
    get_role,
    heads_by_conversation,
    pair_key,
    publish_events,
    require_member,
    require_user_capacity,
    shares_conversation,
)
from capstone_chat.conversations.users import PublicUser, lock_active_users, public_user_columns
from capstone_chat.realtime import protocol, topics
from capstone_chat.realtime.broker import Broker
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.sql import insert_returning_id, pair_batches
from capstone_chat.storage.tables import contacts, conversations, events, members, users
from capstone_chat.text import names
from capstone_chat.text.search_folding import fold

UNREAD_LIMIT = 100
"""Unread messages of a conversation that are counted at the most."""

MAX_PAGE_SIZE = 100
"""Conversations in one page of the list at the most."""

MAX_MEMBERS_PAGE_SIZE = 100
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
        self, user: PublicUser, *, before: Cursor | None = None, query: str = ""
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
            found = _newest_first(connection, user.id, before, query)
            page = found[:MAX_PAGE_SIZE]
            more = len(found) > MAX_PAGE_SIZE
            return _summaries(connection, user.id, [conv for _, conv in page]), (
                page[-1] if more else None
            )

        return await self._database.read(read)

    async def get(self, user: PublicUser, conv: int) -> dict[str, Any]:
        """Return one of them.

        Raises:
            NotFound: the user is not a member.
        """
        found = await self._database.read(
            lambda connection: _summaries(connection, user.id, [conv])
        )
        if not found:
            raise NotFound(conv)
        return found[0]

    async def heads(self, user: PublicUser) -> dict[int, int]:
        """Return the newest seq of each conversation of the user."""
        return await self._database.read_batched(
            lambda connection: heads_by_conversation(connection, user.id)
        )

    async def get_or_create_private(self, user: PublicUser, other: int) -> int:
        """Return the id of the private chat of two people, which is made if there is none yet.

        Raises:
            NotFound: there is no such user, or neither a contact nor a shared group leads there.
            NotAllowed: it is the user, one of the two has blocked the other, or one of them is in
                too many private chats.
        """
        if other == user.id:
            raise NotAllowed("yourself", "That is you.")
        at = self._clock()
        pair = pair_key(user.id, other)
        existing = sa.select(conversations.c.id).where(conversations.c.pair == pair)

        def change(connection: sa.Connection) -> list[Event]:
            peer = _require_reachable(connection, user.id, other)
            if connection.scalar(existing) is not None:
                return []
            for person in user.id, other:
                require_user_capacity(connection, person, "private")
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
                add_member(connection, conv, user, "created", at),
                add_member(connection, conv, peer, "added", at, actor=user),
            ]

        with contextlib.suppress(sa.exc.IntegrityError):  # both opened it at once
            await self._database.write(change, functools.partial(publish_events, self._broker))
        conv = await self._database.read(lambda connection: connection.scalar(existing))
        if conv is None:  # the other one has deleted the account meanwhile
            raise NotFound(other)
        return int(conv)

    async def list_members(
        self, user: PublicUser, conv: int, *, after: int | None = None, query: str = ""
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
        statement = (
            sa.select(*public_user_columns(), users.c.name, members.c.role)
            .join(members, members.c.user_id == users.c.id)
            .where(members.c.conversation_id == conv)
            .order_by(members.c.role.desc(), users.c.nickname, users.c.id)
            .limit(MAX_MEMBERS_PAGE_SIZE + 1)
        )
        if query:
            key = names.canonical_key(query)
            name = users.c.name_key.contains(key, autoescape=True)
            nickname = sa.func.lower(users.c.nickname).contains(key, autoescape=True)
            exact = users.c.nickname.contains(query, autoescape=True)
            statement = statement.where(name | nickname | exact)

        def read(connection: sa.Connection) -> tuple[list[dict[str, Any]], int | None]:
            require_member(connection, conv, user.id)
            query = statement
            if after is not None:
                query = query.where(_members_after(connection, conv, after))
            found = [row._asdict() for row in connection.execute(query)]
            more = len(found) > MAX_MEMBERS_PAGE_SIZE
            page = found[:MAX_MEMBERS_PAGE_SIZE]
            return page, page[-1]["id"] if more else None

        return await self._database.read(read)

    async def history(
        self, user: PublicUser, conv: int, *, before: int | None, after: int | None, limit: int
    ) -> tuple[list[Event], int]:
        """Return a page of events (see `event_log.read_page`) and the newest seq.

        Raises:
            NotFound: the user is not a member.
        """
        head = sa.select(conversations.c.head).where(conversations.c.id == conv)

        def read(connection: sa.Connection) -> tuple[list[Event], int]:
            require_member(connection, conv, user.id)
            newest = connection.execute(head).scalar_one()
            page = event_log.read_page(connection, conv, before=before, after=after, limit=limit)
            return page, newest

        return await self._database.read(read)

    async def search(
        self, user: PublicUser, conv: int, text: str, *, before: int | None, limit: int
    ) -> tuple[list[Event], int | None]:
        """Return messages that hold a text, the newest first (see `event_log.search`); none for an
        empty text.

        Raises:
            NotFound: the user is not a member.
        """

        def read(connection: sa.Connection) -> tuple[list[Event], int | None]:
            require_member(connection, conv, user.id)
            if not text:
                return [], None
            return event_log.search(connection, conv, text, before=before, limit=limit)

        return await self._database.read(read)

    async def mark_read(self, user: PublicUser, conv: int, seq: int) -> None:
        """Move the user's read mark forward, never back and never past the newest event.

        It is published to the user's own connections, and in a private chat to the other person.

        Raises:
            NotFound: the user is not a member.
        """
        membership = (members.c.conversation_id == conv) & (members.c.user_id == user.id)
        head = sa.select(conversations.c.head).where(conversations.c.id == conv).scalar_subquery()
        move = (
            members.update()
            .where(membership, members.c.read_seq < seq, head >= seq)
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

        def publish(moved: str | None) -> None:
            if moved:
                topic = topics.conversation(conv) if moved == "private" else topics.user(user.id)
                event = {"type": "read", "conv": conv, "seq": seq, "user": user.id}
                self._broker.publish(topic, protocol.encode(event))

        await self._database.write(change, publish)


def _require_reachable(connection: sa.Connection, user_id: int, other: int) -> PublicUser:
    """Return somebody whom the user may write to: a contact, or a member of a shared group.

    Both users are locked until the commit, so neither blocks the other before that.
    """
    alive = lock_active_users(connection, user_id, other)
    if user_id not in alive:
        raise SessionEnded
    between = sa.or_(
        (contacts.c.user_id == user_id) & (contacts.c.other_id == other),
        (contacts.c.user_id == other) & (contacts.c.other_id == user_id),
    )
    marks = connection.execute(
        sa.select(contacts.c.user_id, contacts.c.blocked).where(between)
    ).all()
    is_contact = any(by == user_id for by, _ in marks)
    if not is_contact and not shares_conversation(connection, user_id, other):
        raise NotFound(other)
    if other not in alive:
        raise NotFound(other)
    if any(blocked for _, blocked in marks):
        raise NotAllowed("blocked", "You cannot write to each other.")
    return PublicUser(
        *connection.execute(sa.select(*public_user_columns()).where(users.c.id == other)).one()
    )


def _members_after(connection: sa.Connection, conv: int, user_id: int) -> sa.ColumnElement[bool]:
    """Return the condition of the members that follow a user, who may have left meanwhile."""
    nickname_query = sa.select(users.c.nickname).where(users.c.id == user_id)
    nickname = connection.scalar(nickname_query) or ""
    last = get_role(connection, conv, user_id) or "member"
    following = sa.or_(
        users.c.nickname > nickname, (users.c.nickname == nickname) & (users.c.id > user_id)
    )
    return (members.c.role < last) | ((members.c.role == last) & following)


def _newest_first(
    connection: sa.Connection, user_id: int, before: Cursor | None, query: str
) -> list[tuple[int, int]]:
    """Return the time of the newest event and the id of a user's conversations, the newest first:
    one more than a page, or all of them."""
    at = sa.func.coalesce(events.c.at, conversations.c.created_at)
    newest = (events.c.conversation_id == conversations.c.id) & (
        events.c.seq == conversations.c.head
    )
    found = (
        sa.select(at, conversations.c.id)
        .select_from(members)
        .join(conversations)
        .outerjoin(events, newest)
        .where(members.c.user_id == user_id)
        .order_by(at.desc(), conversations.c.id.desc())
    )
    if before is not None:
        found = found.where(
            (at < before[0]) | ((at == before[0]) & (conversations.c.id < before[1]))
        )
    if query:
        return _matching(connection, user_id, found, fold(query))
    return [(time, conv) for time, conv in connection.execute(found.limit(MAX_PAGE_SIZE + 1))]


def _matching(
    connection: sa.Connection, user_id: int, candidates: sa.Select[Any], key: str
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
    candidates = candidates.add_columns(
        conversations.c.title_key, users.c.name_key, users.c.nickname
    )
    candidates = candidates.outerjoin(other, peer).outerjoin(users, users.c.id == other.c.user_id)
    matching = (
        (time, conv)
        for time, conv, title, name, nickname in connection.execute(candidates)
        if key in title or key in fold(name or "") or key in fold(nickname or "")
    )
    return list(itertools.islice(matching, MAX_PAGE_SIZE + 1))


def _summaries(connection: sa.Connection, user_id: int, convs: list[int]) -> list[dict[str, Any]]:
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
    newest = event_log.newest_by_conversation(connection, [row.id for row in rows])
    unread = _unread_counts(connection, user_id, {row.id: (row.read_seq, row.head) for row in rows})
    peers = _peers(connection, user_id, [row.id for row in rows if row.kind == "private"])
    summaries = [
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
            "last": newest[row.id].to_dict() if row.id in newest else None,
            **({"peer_deleted": row.pair is None} if row.kind == "private" else {}),
            **peers.get(row.id, {}),
        }
        for row in rows
    ]
    position = {conv: number for number, conv in enumerate(convs)}
    return sorted(summaries, key=lambda one: position[one["id"]])


@functools.cache
def _unread_statement(count: int) -> sa.Select[Any]:
    seq = events.c.seq
    ranges = (
        (events.c.conversation_id == sa.bindparam(f"first{n}")) & (seq > sa.bindparam(f"second{n}"))
        for n in range(count)
    )
    return (
        sa.select(events.c.conversation_id, sa.func.count())
        .where(sa.or_(*ranges), events.c.text.is_not(None), events.c.type == "message")
        .where(events.c.user_id != sa.bindparam("user"))
        .group_by(events.c.conversation_id)
    )


def _unread_counts(
    connection: sa.Connection, user_id: int, marks: dict[int, tuple[int, int]]
) -> dict[int, int]:
    """Return the number of unread messages of each conversation that has any.

    The ranges are constants of the statement: where one depends on a row of another table, MariaDB
    reads the whole history. At most the last UNREAD_LIMIT events are counted; the page shows "99+"
    for more.

    Args:
        marks: read mark and head of each conversation.
    """
    since = {
        (conv, max(read, head - UNREAD_LIMIT))
        for conv, (read, head) in marks.items()
        if head > read
    }
    found: dict[int, int] = {}
    for count, values in pair_batches(since):
        rows = connection.execute(_unread_statement(count), {"user": user_id, **values})
        found |= {conv: unread for conv, unread in rows}  # noqa: C416 - dict() would not be typed
    return found


def _peers(connection: sa.Connection, user_id: int, convs: list[int]) -> dict[int, dict[str, Any]]:
    """Return of each private chat the other person, and how far they have read.

    Somebody who is blocked is not to see that.
    """
    query = (
        sa.select(
            members.c.conversation_id, members.c.read_seq, *public_user_columns(), users.c.name
        )
        .join(users, users.c.id == members.c.user_id)
        .where(members.c.conversation_id.in_(convs), members.c.user_id != user_id)
    )
    if not convs:
        return {}
    hidden = {conv for conv, _ in blocked_pairs(connection, {(conv, user_id) for conv in convs})}
    return {
        conv: {
            "peer": {**PublicUser(*person).to_public_dict(), "name": name},
            "peer_read": 0 if conv in hidden else read,
        }
        for conv, read, *person, name in connection.execute(query)
    }
