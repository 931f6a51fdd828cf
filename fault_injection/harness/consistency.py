"""What clients were told, kept beside what the database holds, and the judgement of the two."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from capstone_chat.storage.tables import conversations, events

Place = tuple[int, int]
"""A conversation and a seq."""

ClientView = Mapping[Place, str]
"""What somebody sees of conversations: the text at each place."""


@dataclass(frozen=True)
class Stored:
    """A message as it lies in the database."""

    conv: int
    seq: int
    cid: str | None
    text: str


@dataclass(frozen=True)
class StoredState:
    """All that the database holds: the events, and the newest seq of each conversation."""

    events: Sequence[Stored]
    heads: Mapping[int, int]

    @classmethod
    def read(cls, engine: sa.Engine) -> "StoredState":
        """Read it."""
        log = events.c
        rows = sa.select(log.conversation_id, log.seq, log.cid, log.text).order_by(log.seq)
        heads = sa.select(conversations.c.id, conversations.c.head)
        with engine.connect() as connection:
            found = [Stored(*row[:3], row.text or "") for row in connection.execute(rows)]
            return cls(found, {row.id: row.head for row in connection.execute(heads)})


@dataclass
class Violations:
    """What was found wrong, by kind; each line names a message or a place."""

    lost: list[str] = field(default_factory=list)
    """Acknowledged, but not stored there."""
    doubled: list[str] = field(default_factory=list)
    """Stored more than once."""
    gaps: list[str] = field(default_factory=list)
    """Seqs that nothing has."""
    unsettled: list[str] = field(default_factory=list)
    """Never acknowledged, though they were sent again and again."""
    disputed: list[str] = field(default_factory=list)
    """Told in two ways."""
    astray: list[str] = field(default_factory=list)
    """Seen by a client otherwise than stored, or not at all."""

    def problems(self) -> dict[str, list[str]]:
        """Return the kinds of which there is something."""
        return {kind: found for kind, found in vars(self).items() if found}


class ClientLog:
    """What was sent, and what was acknowledged. Every text is sent under one cid only."""

    def __init__(self) -> None:
        self.sent: dict[str, tuple[int, str]] = {}
        self.acked: dict[str, Place] = {}
        self.acks = 0
        self.acked_at = 0.0
        """When the last acknowledgement of a message came that had none yet."""
        self.disputed: list[str] = []
        self.at_next_ack: Callable[[], None] | None = None
        """Called once, at the very moment when a message is acknowledged."""

    def send(self, cid: str, conv: int, text: str) -> None:
        """Note a message that is about to be sent for the first time."""
        self.sent[cid] = conv, text

    def ack(self, cid: str, conv: int, seq: int) -> None:
        """Note an acknowledgement; it may come more than once, but never say something else."""
        self.acks += 1
        if cid not in self.acked:
            self.acked_at = time.monotonic()
            act, self.at_next_ack = self.at_next_ack, None
            if act is not None:
                act()
        before = self.acked.setdefault(cid, (conv, seq))
        if before != (conv, seq):
            self.disputed.append(f"{cid} was acknowledged at {before} and at {(conv, seq)}")

    def judge(
        self, stored_state: StoredState, views: Mapping[str, ClientView] | None = None
    ) -> Violations:
        """Compare what was told with what is stored.

        Args:
            views: of each client, by name, what it saw of conversations it should know whole.
        """
        violations = Violations(disputed=list(self.disputed))
        places = {(event.conv, event.seq): event for event in stored_state.events}
        for cid, (conv, text) in self.sent.items():
            if cid not in self.acked:
                violations.unsettled.append(f"{cid} in {conv}: {text!r}")
        for cid, place in self.acked.items():
            event = places.get(place)
            if event is None or event.cid != cid or (event.conv, event.text) != self.sent[cid]:
                violations.lost.append(f"{cid} was acknowledged at {place}; there is {event}")
        ours = [event for event in stored_state.events if event.cid in self.sent]
        for name, found in (
            ("place", Counter((event.conv, event.seq) for event in stored_state.events)),
            ("cid", Counter(event.cid for event in ours)),
            ("text", Counter(event.text for event in ours)),
        ):
            violations.doubled += _twice(name, found)
        for conv, head in stored_state.heads.items():
            there = {seq for at, seq in places if at == conv}
            missing = set(range(1, head + 1)) - there
            violations.gaps += [f"{conv} has no seq {seq}" for seq in sorted(missing)]
            beyond = sorted(seq for seq in there if seq > head)
            violations.gaps += [f"{conv} has seq {seq} beyond its head {head}" for seq in beyond]
        for name, view in (views or {}).items():
            convs = {conv for conv, _ in view}
            for place in sorted(view.keys() | {p for p in places if p[0] in convs}):
                stored = places[place].text if place in places else None
                if view.get(place) != stored:
                    seen = view.get(place)
                    violations.astray.append(f"{name} sees {seen!r} at {place}, not {stored!r}")
        return violations


def _twice(name: str, found: Mapping[Any, int]) -> Iterable[str]:
    return [f"{name} {value} is there {count} times" for value, count in found.items() if count > 1]
