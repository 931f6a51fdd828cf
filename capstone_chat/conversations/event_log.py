"""The log of a conversation: every message and every change of it, in one order.

`seq` counts the events of a conversation without a gap, so a client knows when it has missed one.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from capstone_chat.conversations.users import PublicUser, public_user_columns
from capstone_chat.storage.tables import conversations, events, users
from capstone_chat.text.search_folding import fold

MAX_PAGE_SIZE = 100
"""Events in one page of history at the most."""

MAX_EXAMINED = 5000
"""Events that one search request compares with the text."""


class Event(msgspec.Struct, frozen=True):
    """Something that happened in a conversation.

    By type, `text` is: message, what was written, or None when it was deleted; member, what changed
    (created, joined, left, added, removed, owner); title and description, the new one; visibility,
    public or private. `target` is the seq that a `deleted` is about, and `subject` the member that
    a `member` is about, when somebody else did it.
    """

    conv: int
    seq: int
    type: str
    author: PublicUser
    at: int
    text: str | None = None
    target: int | None = None
    subject: PublicUser | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the event as the protocol has it."""
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
        elif self.type == "deleted":
            event["target"] = self.target
        else:
            event["text"] = self.text
        return event


class NewEvent(msgspec.Struct, frozen=True):
    """An event that has no place in the order yet; see `Event`."""

    conv: int
    type: str
    author: PublicUser
    text: str | None = None
    cid: str | None = None
    target: int | None = None
    subject: PublicUser | None = None


def append(connection: sa.Connection, new: Sequence[NewEvent], at: int) -> list[Event]:
    """Give each event the next seq of its conversation and store it.

    The conversations' heads are raised first: on a server that locks rows, a second process waits
    here until this one commits, so no two events get one seq.

    Args:
        at: milliseconds since 1970.
    """
    counts = dict(sorted(Counter(event.conv for event in new).items()))
    connection.execute(
        _ADVANCE_HEADS, [{"conv": conv, "more": count} for conv, count in counts.items()]
    )
    heads = connection.execute(_HEADS, {"convs": [*counts]})
    last = {conv: head - counts[conv] for conv, head in heads}
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
            )
        )
        rows.append(
            {
                "conversation_id": event.conv,
                "seq": seq,
                "type": event.type,
                "user_id": event.author.id,
                "cid": event.cid,
                "text": event.text,
                "folded": fold(event.text or "") if event.type == "message" else None,
                "target": event.target,
                "subject_id": event.subject.id if event.subject else None,
                "at": at,
            }
        )
    connection.execute(_INSERT, rows)
    return stored


# Built once: to build a statement takes longer than to run it.
_ADVANCE_HEADS = (
    conversations.update()
    .where(conversations.c.id == sa.bindparam("conv"))
    .values(head=conversations.c.head + sa.bindparam("more"))
)
_HEADS = sa.select(conversations.c.id, conversations.c.head).where(
    conversations.c.id.in_(sa.bindparam("convs", expanding=True))
)
_INSERT = events.insert()


_SUBJECTS = users.alias("subjects")
_EVENTS = (
    sa.select(
        events.c.conversation_id,
        events.c.seq,
        events.c.type,
        events.c.at,
        events.c.text,
        events.c.target,
        *public_user_columns(),
        *(column.label(f"subject_{column.key}") for column in public_user_columns(_SUBJECTS)),
    )
    .join(users, users.c.id == events.c.user_id)
    .outerjoin(_SUBJECTS, _SUBJECTS.c.id == events.c.subject_id)
)


def _event_from_row(row: sa.Row[Any]) -> Event:
    conv, seq, type_, at, text, target, *people = tuple(row)
    subject = PublicUser(*people[3:]) if people[3] is not None else None
    return Event(conv, seq, type_, PublicUser(*people[:3]), at, text, target, subject)


def read_page(
    connection: sa.Connection,
    conv: int,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = MAX_PAGE_SIZE,
) -> list[Event]:
    """Return events of a conversation, oldest first: the last before a seq, or the next after one.

    It reads `limit` neighbouring rows by their key, however long the history is.
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


def newest_by_conversation(connection: sa.Connection, convs: Sequence[int]) -> dict[int, Event]:
    """Return the newest event of each conversation."""
    head = (conversations.c.id == events.c.conversation_id) & (conversations.c.head == events.c.seq)
    query = _EVENTS.join(conversations, head).where(conversations.c.id.in_(convs))
    return {row.conversation_id: _event_from_row(row) for row in connection.execute(query)}


def search(
    connection: sa.Connection, conv: int, text: str, *, before: int | None, limit: int
) -> tuple[list[Event], int | None]:
    """Return messages that hold the text, however both are written, the newest first.

    `search_folding` says which letters are equal. A text without any is held by no message. No
    index finds a text inside a message, so at most MAX_EXAMINED events are compared.

    Returns:
        The messages, and the seq before which the search is to go on, None at the beginning.
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
