"""Compares the messages that clients sent and received with those that the database holds."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from capstone_chat.storage.tables import conversations, events

Position = tuple[int, int]
"""A conversation and a seq."""

ClientView = Mapping[Position, str]
"""The log as one client sees it: the text at each position."""


@dataclass(frozen=True)
class StoredMessage:
    """An event as it is stored; `cid` is None if the event is not a message."""

    conv: int
    seq: int
    cid: str | None
    text: str


@dataclass(frozen=True)
class StoredState:
    """All events in the database, and the head of each conversation."""

    events: Sequence[StoredMessage]
    heads: Mapping[int, int]

    @classmethod
    def read(cls, engine: sa.Engine) -> "StoredState":
        """Read the state from a database."""
        log = events.c
        rows = sa.select(log.conversation_id, log.seq, log.cid, log.text).order_by(log.seq)
        heads = sa.select(conversations.c.id, conversations.c.head)
        with engine.connect() as connection:
            found = [StoredMessage(*row[:3], row.text or "") for row in connection.execute(rows)]
            return cls(found, {row.id: row.head for row in connection.execute(heads)})


@dataclass
class Violations:
    """The violations by kind. Each text names a message or a position."""

    lost: list[str] = field(default_factory=list)
    """Acknowledged, but not stored at the acknowledged position."""
    duplicated: list[str] = field(default_factory=list)
    """Stored more than once."""
    gaps: list[str] = field(default_factory=list)
    """Seqs up to the head that no event has, and seqs beyond the head."""
    unacknowledged: list[str] = field(default_factory=list)
    """Sent, but never acknowledged."""
    contradictory: list[str] = field(default_factory=list)
    """Acknowledged or received twice with different contents."""
    diverged: list[str] = field(default_factory=list)
    """Stored, but received with another text or not at all."""

    def problems(self) -> dict[str, list[str]]:
        """Return the kinds that have violations."""
        return {kind: found for kind, found in vars(self).items() if found}


class ClientLog:
    """The messages that were sent and acknowledged. Every text is sent with one cid only."""

    def __init__(self) -> None:
        self.sent: dict[str, tuple[int, str]] = {}
        self.acked: dict[str, Position] = {}
        self.acks = 0
        self.stored_at = 0
        """Newest time at which an acknowledged message was stored, in milliseconds since 1970."""
        self.acked_at = 0.0
        """Time of the newest first acknowledgement of a message, by `time.monotonic`."""
        self.contradictory: list[str] = []
        self.on_next_ack: Callable[[], None] | None = None
        """Called once, when the next message is acknowledged for the first time."""

    def send(self, cid: str, conv: int, text: str) -> None:
        """Record a message that is sent for the first time."""
        self.sent[cid] = conv, text

    def ack(self, cid: str, conv: int, seq: int, at: int = 0) -> None:
        """Record an acknowledgement. A repeated one must name the same position.

        Args:
            cid: the cid of the message.
            conv: id of the conversation.
            seq: number of the event in the conversation.
            at: when the message was stored, in milliseconds since 1970.
        """
        self.acks += 1
        self.stored_at = max(self.stored_at, at)
        if cid not in self.acked:
            self.acked_at = time.monotonic()
            callback, self.on_next_ack = self.on_next_ack, None
            if callback is not None:
                callback()
        before = self.acked.setdefault(cid, (conv, seq))
        if before != (conv, seq):
            self.contradictory.append(f"{cid} was acknowledged at {before} and at {(conv, seq)}")

    def check(
        self, stored_state: StoredState, views: Mapping[str, ClientView] | None = None
    ) -> Violations:
        """Compare the messages that were sent, acknowledged and received with the stored events.

        Args:
            stored_state: the contents of the database.
            views: by name, the log of each client that must have received whole conversations.
        """
        violations = Violations(contradictory=list(self.contradictory))
        by_position = {(event.conv, event.seq): event for event in stored_state.events}
        for cid, (conv, text) in self.sent.items():
            if cid not in self.acked:
                violations.unacknowledged.append(f"{cid} in {conv}: {text!r}")
        for cid, position in self.acked.items():
            event = by_position.get(position)
            if event is None or event.cid != cid or (event.conv, event.text) != self.sent[cid]:
                violations.lost.append(f"{cid} was acknowledged at {position}; there is {event}")
        ours = [event for event in stored_state.events if event.cid in self.sent]
        for name, found in (
            ("position", Counter((event.conv, event.seq) for event in stored_state.events)),
            ("cid", Counter(event.cid for event in ours)),
            ("text", Counter(event.text for event in ours)),
        ):
            violations.duplicated += _duplicates(name, found)
        for conv, head in stored_state.heads.items():
            there = {seq for at, seq in by_position if at == conv}
            missing = set(range(1, head + 1)) - there
            violations.gaps += [f"{conv} has no seq {seq}" for seq in sorted(missing)]
            beyond = sorted(seq for seq in there if seq > head)
            violations.gaps += [f"{conv} has seq {seq} beyond its head {head}" for seq in beyond]
        for name, view in (views or {}).items():
            convs = {conv for conv, _ in view}
            for position in sorted(view.keys() | {p for p in by_position if p[0] in convs}):
                stored = by_position[position].text if position in by_position else None
                if view.get(position) != stored:
                    seen = view.get(position)
                    violations.diverged.append(
                        f"{name} sees {seen!r} at {position}, not {stored!r}"
                    )
        return violations


def _duplicates(name: str, found: Mapping[Any, int]) -> Iterable[str]:
    return [f"{name} {value} is there {count} times" for value, count in found.items() if count > 1]
