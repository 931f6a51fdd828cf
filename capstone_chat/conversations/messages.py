"""Messages: stored first, then acknowledged, then sent to the members."""

import functools
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa

from capstone_chat.conversations import event_log
from capstone_chat.conversations.event_log import Event, NewEvent
from capstone_chat.conversations.membership import (
    NotAllowed,
    NotFound,
    announce,
    blocked_pairs,
    lock,
    require_member,
)
from capstone_chat.conversations.users import Person
from capstone_chat.realtime import protocol, topics
from capstone_chat.realtime.broker import Broker
from capstone_chat.realtime.protocol import ProtocolError, Send
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.sql import matches_any_pair, pair_batches
from capstone_chat.storage.tables import conversations, members
from capstone_chat.storage.tables import events as log


class StoredMessage(msgspec.Struct, frozen=True):
    """A message that is on the disk; `new` is False when it was there already."""

    event: Event
    new: bool


class Messages:
    """Posts messages. Those that wait for a commit share it.

    Args:
        clock: milliseconds since 1970.
    """

    def __init__(
        self, database: Database, broker: Broker, *, clock: Callable[[], int] = now_ms
    ) -> None:
        self._database = database
        self._broker = broker
        self._clock = clock

    def post(self, user: Person, frame: Send, done: Callable[[Event | Exception], None]) -> None:
        """Store a message; `done` gets the event after the commit, or why it was not stored.

        The same cid again gives the same event, so a client that is in doubt may send again.
        `ProtocolError` codes: `not_found` (no such conversation, or not a member), `blocked` (one
        of the two in a private chat has blocked the other), `user_deleted` (the other one there
        has deleted the account), `conflict` (the cid was used for another message).
        """
        draft = NewEvent(frame.conv, "message", user, frame.text, frame.cid)
        self._database.enqueue(self._store, draft, functools.partial(self._stored, done))

    async def require_may_write(self, user: Person, conv: int) -> None:
        """Let those pass whose message would be stored.

        Raises:
            ProtocolError: it would not, as `post` says.
        """
        draft = NewEvent(conv, "message", user)
        refused = await self._database.read_batched(
            lambda connection: _refused(connection, [draft])
        )
        for reason in refused.values():
            raise ProtocolError(*reason)

    async def delete(self, user: Person, conv: int, seq: int) -> None:
        """Delete a message of the user's own: its text is gone from the database, its place stays.

        Raises:
            NotFound: there is no such message, or the user is not a member.
            Refused: somebody else wrote it.
        """
        at = self._clock()
        place = (log.c.conversation_id == conv) & (log.c.seq == seq) & (log.c.type == "message")

        def change(connection: sa.Connection) -> list[Event]:
            lock(connection, [conv])
            require_member(connection, conv, user.id)
            message = connection.execute(sa.select(log.c.user_id, log.c.text).where(place))
            found = message.one_or_none()
            if found is None:
                raise NotFound(seq)
            if found.user_id != user.id:
                raise NotAllowed("not_yours", "Somebody else wrote this message.")
            if found.text is None:
                return []
            connection.execute(log.update().where(place).values(text=None, folded=None))
            return event_log.append(connection, [NewEvent(conv, "deleted", user, target=seq)], at)

        await self._database.write(change, lambda told: announce(self._broker, told))

    def _store(
        self, connection: sa.Connection, drafts: list[NewEvent]
    ) -> list[StoredMessage | ProtocolError]:
        """Store messages, or give for one whose cid came before what is there.

        That is rare, so only a lone message is looked for: in a batch the unique index objects,
        and each message gets its turn in a smaller batch, at last alone.
        """
        lock(connection, {draft.conv for draft in drafts})
        refused = _refused(connection, drafts)
        if len(drafts) == 1 and not refused and (event := _stored_before(connection, drafts[0])):
            if _same(event, drafts[0]):
                return [StoredMessage(event, new=False)]
            text = "This cid was used for another message."
            return [ProtocolError("conflict", text, drafts[0].cid)]
        fine = [draft for draft in drafts if (draft.conv, draft.author.id) not in refused]
        stored = iter(event_log.append(connection, fine, self._clock()) if fine else [])
        results: list[StoredMessage | ProtocolError] = []
        for draft in drafts:
            if reason := refused.get((draft.conv, draft.author.id)):
                results.append(ProtocolError(*reason, draft.cid))
            else:
                results.append(StoredMessage(next(stored), new=True))
        return results

    def _stored(
        self, done: Callable[[Event | Exception], None], result: StoredMessage | Exception
    ) -> None:
        if isinstance(result, Exception):
            done(result)
            return
        if result.new:
            payload = protocol.encode(result.event.public())
            self._broker.publish(topics.conversation(result.event.conv), payload)
        done(result.event)


def _same(event: Event, draft: NewEvent) -> bool:
    """Tell whether a stored message, which may be deleted by now, is the one that is sent again."""
    return event.conv == draft.conv and event.text in (draft.text, None)


@functools.cache
def _memberships(count: int) -> sa.Select[Any]:
    return (
        sa.select(
            members.c.conversation_id,
            members.c.user_id,
            conversations.c.kind,
            conversations.c.pair,
        )
        .join(conversations, conversations.c.id == members.c.conversation_id)
        .where(matches_any_pair(members.c.conversation_id, members.c.user_id, count))
    )


def _refused(
    connection: sa.Connection, drafts: list[NewEvent]
) -> dict[tuple[int, int], tuple[str, str]]:
    """Return who may not write where: the code and the text of the error."""
    wanted = {(draft.conv, draft.author.id) for draft in drafts}
    allowed = {}
    for count, values in pair_batches(wanted):
        for conv, user, kind, pair in connection.execute(_memberships(count), values):
            allowed[conv, user] = kind, pair
    unknown = ("not_found", "There is no such conversation.")
    refused = dict.fromkeys(wanted - allowed.keys(), unknown)
    if private := {place for place, (kind, _) in allowed.items() if kind == "private"}:
        deleted = ("user_deleted", "This account has been deleted.")
        refused |= {place: deleted for place in private if allowed[place][1] is None}
        blocked = ("blocked", "You cannot write to each other.")
        refused |= dict.fromkeys(blocked_pairs(connection, private), blocked)
    return refused


_WITH_CID = sa.select(log.c.conversation_id, log.c.seq, log.c.type, log.c.at, log.c.text).where(
    log.c.user_id == sa.bindparam("user"), log.c.cid == sa.bindparam("cid")
)


def _stored_before(connection: sa.Connection, draft: NewEvent) -> Event | None:
    found = connection.execute(_WITH_CID, {"user": draft.author.id, "cid": draft.cid})
    for conv, seq, type_, at, text in found:
        return Event(conv, seq, type_, draft.author, at, text)
    return None
