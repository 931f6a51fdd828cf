"""Service for a user's conversations: lists, history, search, private chats, read marks."""

import contextlib
import functools
import itertools
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from capstone_chat.conversations import event_log
from capstone_chat.conversations.errors import (
    NotFound,
    SessionEnded,
    blocked,
    no_such_conversation,
    yourself,
)
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
from capstone_chat.realtime import topics
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.sql import insert_returning_id, pair_batches
from capstone_chat.storage.tables import contacts, conversations, events, members, users
from capstone_chat.text import names
from capstone_chat.text.search_folding import fold

UNREAD_LIMIT = 100
"""Maximum number of unread messages of a conversation that are counted."""

MAX_PAGE_SIZE = 100
"""Maximum number of conversations in one page of the list."""

MAX_MEMBERS_PAGE_SIZE = 100
"""Maximum number of members in one page."""

Cursor = tuple[int, int]
"""The last conversation of a page: the time of its newest event (ms since 1970) and its id."""


class Conversations:
    """Reads conversations, opens private chats, and moves read marks.

    Args:
        database: the database.
        hub: publishes events and read marks.
        clock: function that returns milliseconds since 1970.
    """

    def __init__(self, database: Database, hub: Hub, *, clock: Callable[[], int] = now_ms) -> None:
        self._database = database
        self._hub = hub
        self._clock = clock

    async def list_for(
        self, user: PublicUser, *, before: Cursor | None = None, query: str = ""
    ) -> tuple[list[dict[str, Any]], Cursor | None]:
        """Return a page of summaries of the user's conversations, sorted by their newest events.

        Args:
            user: the user.
            before: cursor of the page; None for the first page.
            query: a filter: groups whose title, and private chats where the user name or nickname
                of the other user, contains this text.

        Returns:
            The summaries, and the cursor of the next page or None.
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
        """Return the summary of a conversation.

        Raises:
            NotFound: the user is not a member.
        """
        found = await self._database.read(
            lambda connection: _summaries(connection, user.id, [conv])
        )
        if not found:
            raise no_such_conversation()
        return found[0]

    async def heads(self, user: PublicUser) -> dict[int, int]:
        """Return the head of each conversation of the user."""
        return await self._database.read_batched(
            lambda connection: heads_by_conversation(connection, user.id)
        )

    async def get_or_create_private(self, user: PublicUser, other: int) -> int:
        """Return the id of the private chat of two users; create it if there is none.

        Raises:
            NotFound: there is no such user, or the other is neither a contact nor a member of a
                shared conversation.
            NotAllowed: the other is the user, one of the two has blocked the other, or one of them
                is in too many private chats.
        """
        if other == user.id:
            raise yourself()
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

        with contextlib.suppress(sa.exc.IntegrityError):  # another request has just created it
            await self._database.write(change, functools.partial(publish_events, self._hub))
        conv = await self._database.read(lambda connection: connection.scalar(existing))
        if conv is None:  # the other user has just deleted the account
            raise NotFound
        return int(conv)

    async def list_members(
        self, user: PublicUser, conv: int, *, after: int | None = None, query: str = ""
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Return a page of the members of a conversation, the owner first, then by nickname.

        Args:
            user: the user of the request.
            conv: the conversation.
            after: cursor of the page: the last user of the page before it.
            query: a filter: members whose user name or nickname contains this text. In nicknames
                SQLite ignores the case of ASCII letters only.

        Returns:
            The members, and the cursor of the next page or None.

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
        """Return a page of events (see `event_log.read_page`) and the head of the conversation.

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
        """Return messages that contain a text, the newest first (see `event_log.search`).

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
        """Move the user's read mark forward, never back and never past the head.

        The new mark is published to the user's connections, and in a private chat to the other
        user.

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
            # In a private chat with a block, the read mark is not published to the other user.
            hidden = blocked_pairs(connection, {(conv, user.id)})
            return "hidden" if hidden else connection.scalar(kind)

        def publish(moved: str | None) -> None:
            if moved:
                topic = topics.conversation(conv) if moved == "private" else topics.user(user.id)
                event = {"type": "read", "conv": conv, "seq": seq, "user": user.id}
                self._hub.publish(topic, event)

        await self._database.write(change, publish)


def _require_reachable(connection: sa.Connection, user_id: int, other: int) -> PublicUser:
    """Return a user to whom another may write: a contact or a member of a shared group.

    Both users are locked until the commit, so neither can block the other before that.
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
        raise NotFound
    if other not in alive:
        raise NotFound
    if any(blocked for _, blocked in marks):
        raise blocked()
    return PublicUser(
        *connection.execute(sa.select(*public_user_columns()).where(users.c.id == other)).one()
    )


def _members_after(connection: sa.Connection, conv: int, user_id: int) -> sa.ColumnElement[bool]:
    """Return the condition of the members after a user, who may have left the conversation."""
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
    """Return the newest conversations of a user: one more than a page has, or all of them.

    Returns:
        The time of the newest event, in milliseconds since 1970, and the id of each conversation.
    """
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
    """Return those of the candidates that match a key.

    The title of a group, or the user name or nickname of the other user, contains the key. Names
    are compared here, because no column has their folded form. The limits of `membership` bound the
    number of rows.
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
    """Return the summaries of those conversations that the user is a member of, in their order."""
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
    """Return the number of unread messages of each conversation with unread messages.

    The ranges are parameters of the statement: with ranges from the rows of another table, MariaDB
    reads the whole history. Only the last UNREAD_LIMIT events are examined; the page shows "99+"
    for more.

    Args:
        connection: the connection with the transaction.
        user_id: the user.
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
    """Return the other user of each private chat, with their read mark.

    In a private chat with a block, the read mark is 0.
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
