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
    """A message as it lies in the database."""

    conv: int
    seq: int
    cid: str | None
    text: str


@dataclass(frozen=True)
class StoredState:
    """All that the database holds: the events, and the newest seq of each conversation."""

    events: Sequence[StoredMessage]
    heads: Mapping[int, int]

    @classmethod
    def read(cls, engine: sa.Engine) -> "StoredState":
        """Read it."""
        log = events.c
        rows = sa.select(log.conversation_id, log.seq, log.cid, log.text).order_by(log.seq)
        heads = sa.select(conversations.c.id, conversations.c.head)
        with engine.connect() as connection:
            found = [StoredMessage(*row[:3], row.text or "") for row in connection.execute(rows)]
            return cls(found, {row.id: row.head for row in connection.execute(heads)})


@dataclass
class Violations:
    """The violations by kind; each line names a message or a position."""

    lost: list[str] = field(default_factory=list)
    """Acknowledged, but not stored at that position."""
    duplicated: list[str] = field(default_factory=list)
    """Stored more than once."""
    gaps: list[str] = field(default_factory=list)
    """Seqs that nothing has."""
    unacknowledged: list[str] = field(default_factory=list)
    """Never acknowledged, though they were sent again and again."""
    contradictory: list[str] = field(default_factory=list)
    """Acknowledged or received twice, with a difference."""
    diverged: list[str] = field(default_factory=list)
    """Received by a client otherwise than stored, or not at all."""

    def problems(self) -> dict[str, list[str]]:
        """Return the kinds of which there is something."""
        return {kind: found for kind, found in vars(self).items() if found}


class ClientLog:
    """What was sent, and what was acknowledged. Every text is sent under one cid only."""

    def __init__(self) -> None:
        self.sent: dict[str, tuple[int, str]] = {}
        self.acked: dict[str, Position] = {}
        self.acks = 0
        self.acked_at = 0.0
        """When the last acknowledgement of a message came that had none yet."""
        self.contradictory: list[str] = []
        self.on_next_ack: Callable[[], None] | None = None
        """Called once, as soon as the next message is acknowledged."""

    def send(self, cid: str, conv: int, text: str) -> None:
        """Note a message that is about to be sent for the first time."""
        self.sent[cid] = conv, text

    def ack(self, cid: str, conv: int, seq: int) -> None:
        """Record an acknowledgement. It may come more than once, but always the same."""
        self.acks += 1
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
        """Compare what was sent, acknowledged and received with what is stored.

        Args:
            views: of each client, by name, what it saw of conversations it should know whole.
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
