"""The events of a conversation: every message and every change, in a total order.

`seq` counts the events of a conversation without a gap, so a client can detect a missed event.
"""

import functools
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from capstone_chat.conversations.users import PublicUser, public_user_columns
from capstone_chat.storage.compiled import CompiledStatement
from capstone_chat.storage.sql import batches, matches_any, matches_any_pair, pair_batches
from capstone_chat.storage.tables import conversations, events, users
from capstone_chat.text.search_folding import fold

MAX_PAGE_SIZE = 100
"""Maximum number of events in one page of history."""

MAX_QUOTE_LENGTH = 120
"""Maximum number of characters of the line that a reply quotes."""

MAX_EXAMINED = 5000
"""Maximum number of events that one search request compares with the text."""

MAX_CHANGES_SKIPPED = 100
"""Maximum number of edits and deletions at the end that are skipped for the newest other event."""


class Original(msgspec.Struct, frozen=True):
    """The message that an event answers or edits.

    `text` is None if the message was deleted. `changed` is that of the message, see `Event`.
    """

    author: PublicUser
    text: str | None
    changed: int | None

    def to_quote(self, seq: int) -> dict[str, Any]:
        """Return the quote of the message `seq` in the form of the protocol."""
        return {
            "seq": seq,
            "from": self.author.to_public_dict(),
            "text": None if self.text is None else _first_line(self.text)[:MAX_QUOTE_LENGTH],
            **_edited(self.text, self.changed),
        }


def _first_line(text: str) -> str:
    """Return the first line of a message; of a block of code the line below the backticks."""
    first, _, rest = text.partition("\n")
    return rest.partition("\n")[0] if rest and first.startswith("```") else first


class Event(msgspec.Struct, frozen=True):
    """An event of a conversation: a message or a change.

    Attributes:
        conv: id of the conversation.
        seq: number of the event in the conversation.
        type: message, edited, deleted, member, title, description or visibility.
        author: the user who caused the event.
        at: milliseconds since 1970.
        text: for a message its newest text, or None if it was deleted; for an `edited` event the
            text of its message; for a member the change (created, joined, left, added, removed,
            owner); for title and description the new one; for visibility public or private.
        target: seq of the message that is edited or deleted; for a message of the one it answers.
        subject: for a `member` event the member, if another user caused the change; for a
            `deleted` event the author of the message, if another user deleted it.
        changed: for a message the seq of the newest event that edited or deleted it.
        original: for a message the one that it answers.
    """

    conv: int
    seq: int
    type: str
    author: PublicUser
    at: int
    text: str | None = None
    target: int | None = None
    subject: PublicUser | None = None
    changed: int | None = None
    original: Original | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the event in the form of the protocol."""
        event: dict[str, Any] = {
            "type": self.type,
            "conv": self.conv,
            "seq": self.seq,
            "from": self.author.to_public_dict(),
            "at": self.at,
        }
        if self.type == "member":
            event["change"] = self.text
            event["user"] = (self.subject or self.author).to_public_dict()
            return event
        if self.type in CHANGES:
            event["target"] = self.target
        if self.type != "deleted":
            event["text"] = self.text
        elif self.subject is not None:
            event["user"] = self.subject.to_public_dict()
        if self.type == "message":
            event |= _edited(self.text, self.changed)
            if self.original is not None and self.target is not None:
                event["reply"] = self.original.to_quote(self.target)
        return event


CHANGES = {"edited", "deleted"}
"""Types of events that change the text of an earlier message."""


def _edited(text: str | None, changed: int | None) -> dict[str, int]:
    """Return the key `edited` of a message; a message that was deleted has none."""
    return {} if text is None or changed is None else {"edited": changed}


class NewEvent(msgspec.Struct, frozen=True):
    """An event without a seq, which `append` assigns; see `Event`."""

    conv: int
    type: str
    author: PublicUser
    text: str | None = None
    cid: str | None = None
    target: int | None = None
    subject: PublicUser | None = None
    original: Original | None = None


def append(connection: sa.Connection, new: Sequence[NewEvent], at: int) -> list[Event]:
    """Assign each event the next seq of its conversation, and store the events.

    An edit or a deletion changes the text of its message. Only there the text is stored, so no
    earlier text is left.

    The conversations' heads are increased first: on a server that locks rows, a second process
    waits here until this one commits, so no two events get the same seq.

    Args:
        connection: the connection with the transaction.
        new: the events in their order.
        at: milliseconds since 1970.
    """
    counts = dict(sorted(Counter(event.conv for event in new).items()))
    heads = _advance_heads(connection, counts)
    last = {conv: head - counts[conv] for conv, head in heads.items()}
    stored, rows = [], []
    for event in new:
        seq = last[event.conv] = last[event.conv] + 1
        stored.append(
            Event(
                event.conv,
                seq,
                event.type,
                event.author,
                at,
                event.text,
                event.target,
                event.subject,
                original=event.original,
            )
        )
        rows.append(
            {
                "conversation_id": event.conv,
                "seq": seq,
                "type": event.type,
                "user_id": event.author.id,
                "cid": event.cid,
                "text": None if event.type == "edited" else event.text,
                "folded": fold(event.text or "") if event.type == "message" else None,
                "target": event.target,
                "subject_id": event.subject.id if event.subject else None,
                "at": at,
                "changed": None,
            }
        )
    _INSERT.run_many(connection, rows)
    if changes := [event for event in stored if event.type in CHANGES]:
        _change_texts(connection, changes)
    return stored


def _change_texts(connection: sa.Connection, changes: list[Event]) -> None:
    """Give edited and deleted messages the texts of these events."""
    values = [
        {
            "conv": event.conv,
            "message": event.target,
            "new_text": event.text,
            "new_folded": None if event.text is None else fold(event.text),
            "change": event.seq,
        }
        for event in changes
    ]
    _CHANGE_TEXT.run_many(connection, values)


_ADVANCE = (
    conversations.update()
    .where(conversations.c.id == sa.bindparam("conv"))
    .values(head=conversations.c.head + sa.bindparam("more"))
)
_ADVANCE_HEAD = CompiledStatement(_ADVANCE)
_ADVANCE_HEAD_RETURNING = CompiledStatement(
    _ADVANCE.returning(conversations.c.id, conversations.c.head)
)
_INSERT = CompiledStatement(events.insert())
_CHANGE_TEXT = CompiledStatement(
    events.update()
    .where(
        events.c.conversation_id == sa.bindparam("conv"), events.c.seq == sa.bindparam("message")
    )
    .values(
        text=sa.bindparam("new_text"),
        folded=sa.bindparam("new_folded"),
        changed=sa.bindparam("change"),
    )
)


@functools.cache
def _heads_statement(count: int) -> CompiledStatement:
    heads = sa.select(conversations.c.id, conversations.c.head)
    return CompiledStatement(heads.where(matches_any(conversations.c.id, count)))


def _advance_heads(connection: sa.Connection, counts: dict[int, int]) -> dict[int, int]:
    """Increase the heads of conversations; return the new heads.

    An UPDATE of many rows returns nothing, and MariaDB has no UPDATE ... RETURNING.

    Args:
        connection: the connection with the transaction.
        counts: the number of new events of each conversation.
    """
    dialect = connection.dialect
    values = [{"conv": conv, "more": count} for conv, count in counts.items()]
    if dialect.update_returning and (len(values) == 1 or dialect.name == "sqlite"):
        return dict(
            row for one in values for row in _ADVANCE_HEAD_RETURNING.fetch_all(connection, one)
        )
    _ADVANCE_HEAD.run_many(connection, values)
    heads: dict[int, int] = {}
    for count, ids in batches(counts):
        heads.update(_heads_statement(count).fetch_all(connection, ids))
    return heads


_SUBJECTS = users.alias("subjects")
_ORIGINALS = events.alias("originals")
_ORIGINAL_AUTHORS = users.alias("original_authors")
_EVENTS = (
    sa.select(
        events.c.conversation_id,
        events.c.seq,
        events.c.type,
        events.c.at,
        events.c.text,
        events.c.target,
        events.c.changed,
        _ORIGINALS.c.text.label("original_text"),
        _ORIGINALS.c.changed.label("original_changed"),
        *public_user_columns(),
        *(column.label(f"subject_{column.key}") for column in public_user_columns(_SUBJECTS)),
        *(
            column.label(f"original_{column.key}")
            for column in public_user_columns(_ORIGINAL_AUTHORS)
        ),
    )
    .join(users, users.c.id == events.c.user_id)
    .outerjoin(_SUBJECTS, _SUBJECTS.c.id == events.c.subject_id)
    .outerjoin(
        _ORIGINALS,
        (_ORIGINALS.c.conversation_id == events.c.conversation_id)
        & (_ORIGINALS.c.seq == events.c.target),
    )
    .outerjoin(_ORIGINAL_AUTHORS, _ORIGINAL_AUTHORS.c.id == _ORIGINALS.c.user_id)
)


def _event_from_row(row: sa.Row[Any]) -> Event:
    conv, seq, type_, at, text, target, changed, original_text, original_changed, *people = tuple(
        row
    )
    author, subject, original_author = (
        PublicUser(*people[n : n + 3]) if people[n] is not None else None for n in (0, 3, 6)
    )
    original = None
    if original_author is not None:
        original = Original(original_author, original_text, original_changed)
    if type_ == "edited":
        text = original_text
    assert author is not None
    return Event(conv, seq, type_, author, at, text, target, subject, changed, original)


def originals(
    connection: sa.Connection, messages: Collection[tuple[int, int]]
) -> dict[tuple[int, int], Original]:
    """Return those messages, by (conversation, seq), that exist; deleted ones too."""
    found = {}
    for count, values in pair_batches(messages):
        rows = _originals_statement(count).fetch_all(connection, values)
        for conv, seq, text, changed, *author in rows:
            found[conv, seq] = Original(PublicUser(*author), text, changed)
    return found


@functools.cache
def _originals_statement(count: int) -> CompiledStatement:
    message = (events.c.conversation_id, events.c.seq, events.c.text, events.c.changed)
    return CompiledStatement(
        sa.select(*message, *public_user_columns())
        .join(users, users.c.id == events.c.user_id)
        .where(events.c.type == "message")
        .where(matches_any_pair(events.c.conversation_id, events.c.seq, count))
    )


def read_page(
    connection: sa.Connection,
    conv: int,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = MAX_PAGE_SIZE,
) -> list[Event]:
    """Return a page of a conversation's events, the oldest first.

    The query reads `limit` adjacent rows by primary key, whatever the length of the history is.

    Args:
        connection: the connection with the transaction.
        conv: the conversation.
        before: the page has the last events before this seq.
        after: the page has the first events after this seq; `before` is ignored.
        limit: maximum number of events; at most MAX_PAGE_SIZE.
    """
    query = _EVENTS.where(events.c.conversation_id == conv)
    if after is not None:
        query = query.where(events.c.seq > after).order_by(events.c.seq)
    else:
        if before is not None:
            query = query.where(events.c.seq < before)
        query = query.order_by(events.c.seq.desc())
    found = [
        _event_from_row(row) for row in connection.execute(query.limit(min(limit, MAX_PAGE_SIZE)))
    ]
    return found if after is not None else found[::-1]


_RECENT = events.alias("recent")


def newest_by_conversation(connection: sa.Connection, convs: Sequence[int]) -> dict[int, Event]:
    """Return the newest event of each conversation that does not change an earlier message.

    An edit or a deletion is nothing new to show in a list. It is returned only if the newest
    MAX_CHANGES_SKIPPED events are all of this kind.
    """
    newest = (
        sa.select(_RECENT.c.seq)
        .where(_RECENT.c.conversation_id == conversations.c.id, _RECENT.c.type.not_in(CHANGES))
        .where(_RECENT.c.seq > conversations.c.head - MAX_CHANGES_SKIPPED)
        .order_by(_RECENT.c.seq.desc())
        .limit(1)
        .correlate(conversations)
        .scalar_subquery()
    )
    shown = (conversations.c.id == events.c.conversation_id) & (
        events.c.seq == sa.func.coalesce(newest, conversations.c.head)
    )
    query = _EVENTS.join(conversations, shown).where(conversations.c.id.in_(convs))
    return {row.conversation_id: _event_from_row(row) for row in connection.execute(query)}


def search(
    connection: sa.Connection, conv: int, text: str, *, before: int | None, limit: int
) -> tuple[list[Event], int | None]:
    """Return messages that contain a text after folding, the newest first.

    `search_folding` defines equal letters. A text without letters is contained in no message. No
    index finds a text inside a message, so at most MAX_EXAMINED events are compared.

    Returns:
        The messages, and the seq before which the next page starts, or None at the beginning of the
        conversation.
    """
    folded = fold(text)
    if not folded:
        return [], None
    if before is None:
        head = sa.select(conversations.c.head).where(conversations.c.id == conv)
        before = connection.execute(head).scalar_one() + 1
    oldest = before - MAX_EXAMINED
    query = _EVENTS.where(
        events.c.conversation_id == conv,
        events.c.seq < before,
        events.c.seq >= oldest,
        events.c.folded.contains(folded, autoescape=True),
    )
    query = query.order_by(events.c.seq.desc()).limit(limit)
    found = [_event_from_row(row) for row in connection.execute(query)]
    if len(found) == limit:
        return found, found[-1].seq
    return found, oldest if oldest > 1 else None
