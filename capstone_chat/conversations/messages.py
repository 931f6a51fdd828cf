"""Messages: stored first, then acknowledged, then sent to the members."""

import functools
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa

from capstone_chat.conversations import event_log
from capstone_chat.conversations.errors import NotAllowed, NotFound
from capstone_chat.conversations.event_log import Event, NewEvent
from capstone_chat.conversations.membership import (
    blocked_pairs,
    lock_conversations,
    publish_events,
    require_member,
)
from capstone_chat.conversations.users import PublicUser
from capstone_chat.realtime import protocol, topics
from capstone_chat.realtime.broker import Broker
from capstone_chat.realtime.protocol import ProtocolError, Send
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.sql import matches_any_pair, pair_batches
from capstone_chat.storage.tables import conversations, events, members


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

    def post(
        self, user: PublicUser, frame: Send, on_stored: Callable[[Event | Exception], None]
    ) -> None:
        """Store a message; `on_stored` gets the event after the commit, or why it was not stored.

        The same cid again gives the same event, so a client that is in doubt may send again.
        `ProtocolError` codes: `not_found` (no such conversation, or not a member), `blocked` (one
        of the two in a private chat has blocked the other), `user_deleted` (the other one there
        has deleted the account), `conflict` (the cid was used for another message).
        """
        new_event = NewEvent(frame.conv, "message", user, frame.text, frame.cid)
        self._database.enqueue(
            self._insert_batch, new_event, functools.partial(self._after_commit, on_stored)
        )

    async def require_can_post(self, user: PublicUser, conv: int) -> None:
        """Check that a message of this user would be stored.

        Raises:
            ProtocolError: it would not, as `post` says.
        """
        new_event = NewEvent(conv, "message", user)
        rejections = await self._database.read_batched(
            lambda connection: _rejections(connection, [new_event])
        )
        for rejection in rejections.values():
            raise ProtocolError(*rejection)

    async def delete(self, user: PublicUser, conv: int, seq: int) -> None:
        """Delete a message of the user's own: its text is gone from the database, its place stays.

        Raises:
            NotFound: there is no such message, or the user is not a member.
            NotAllowed: somebody else wrote it.
        """
        at = self._clock()
        condition = (
            (events.c.conversation_id == conv)
            & (events.c.seq == seq)
            & (events.c.type == "message")
        )

        def change(connection: sa.Connection) -> list[Event]:
            lock_conversations(connection, [conv])
            require_member(connection, conv, user.id)
            message = connection.execute(
                sa.select(events.c.user_id, events.c.text).where(condition)
            )
            found = message.one_or_none()
            if found is None:
                raise NotFound(seq)
            if found.user_id != user.id:
                raise NotAllowed("not_yours", "Somebody else wrote this message.")
            if found.text is None:
                return []
            connection.execute(events.update().where(condition).values(text=None, folded=None))
            return event_log.append(connection, [NewEvent(conv, "deleted", user, target=seq)], at)

        await self._database.write(change, functools.partial(publish_events, self._broker))

    def _insert_batch(
        self, connection: sa.Connection, new_events: list[NewEvent]
    ) -> list[StoredMessage | ProtocolError]:
        """Store messages, or give for one whose cid came before what is there.

        That is rare, so only a lone message is looked for: in a batch the unique index objects,
        and each message gets its turn in a smaller batch, at last alone.
        """
        lock_conversations(connection, {new_event.conv for new_event in new_events})
        rejections = _rejections(connection, new_events)
        if (
            len(new_events) == 1
            and not rejections
            and (event := _find_by_cid(connection, new_events[0]))
        ):
            if _is_resend(event, new_events[0]):
                return [StoredMessage(event, new=False)]
            text = "This cid was used for another message."
            return [ProtocolError("conflict", text, new_events[0].cid)]
        accepted = [
            new_event
            for new_event in new_events
            if (new_event.conv, new_event.author.id) not in rejections
        ]
        stored = iter(event_log.append(connection, accepted, self._clock()) if accepted else [])
        results: list[StoredMessage | ProtocolError] = []
        for new_event in new_events:
            if rejection := rejections.get((new_event.conv, new_event.author.id)):
                results.append(ProtocolError(*rejection, new_event.cid))
            else:
                results.append(StoredMessage(next(stored), new=True))
        return results

    def _after_commit(
        self, on_stored: Callable[[Event | Exception], None], result: StoredMessage | Exception
    ) -> None:
        if isinstance(result, Exception):
            on_stored(result)
            return
        if result.new:
            payload = protocol.encode(result.event.to_dict())
            self._broker.publish(topics.conversation(result.event.conv), payload)
        on_stored(result.event)


def _is_resend(event: Event, new_event: NewEvent) -> bool:
    """Tell whether a stored message, which may be deleted by now, is the one that is sent again."""
    return event.conv == new_event.conv and event.text in (new_event.text, None)


@functools.cache
def _memberships_statement(count: int) -> sa.Select[Any]:
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


def _rejections(
    connection: sa.Connection, new_events: list[NewEvent]
) -> dict[tuple[int, int], tuple[str, str]]:
    """Return who may not write where: the code and the text of the error."""
    memberships = {(new_event.conv, new_event.author.id) for new_event in new_events}
    allowed = {}
    for count, values in pair_batches(memberships):
        for conv, user, kind, pair in connection.execute(_memberships_statement(count), values):
            allowed[conv, user] = kind, pair
    unknown = ("not_found", "There is no such conversation.")
    rejections = dict.fromkeys(memberships - allowed.keys(), unknown)
    if private := {membership for membership, (kind, _) in allowed.items() if kind == "private"}:
        deleted = ("user_deleted", "This account has been deleted.")
        rejections |= {
            membership: deleted for membership in private if allowed[membership][1] is None
        }
        blocked = ("blocked", "You cannot write to each other.")
        rejections |= dict.fromkeys(blocked_pairs(connection, private), blocked)
    return rejections


_WITH_CID = sa.select(
    events.c.conversation_id, events.c.seq, events.c.type, events.c.at, events.c.text
).where(events.c.user_id == sa.bindparam("user"), events.c.cid == sa.bindparam("cid"))


def _find_by_cid(connection: sa.Connection, new_event: NewEvent) -> Event | None:
    found = connection.execute(_WITH_CID, {"user": new_event.author.id, "cid": new_event.cid})
    for conv, seq, type_, at, text in found:
        return Event(conv, seq, type_, new_event.author, at, text)
    return None
