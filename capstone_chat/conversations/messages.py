"""Service that stores messages, acknowledges them after the commit, and publishes them."""

import functools
from collections.abc import Callable

import msgspec
import sqlalchemy as sa

from capstone_chat.conversations import event_log
from capstone_chat.conversations.errors import (
    Conflict,
    NotAllowed,
    NotFound,
    Refusal,
    blocked,
    no_such_conversation,
    not_yours,
)
from capstone_chat.conversations.event_log import Event, NewEvent, Original
from capstone_chat.conversations.membership import (
    blocked_pairs,
    lock_conversations,
    publish_events,
    require_member,
)
from capstone_chat.conversations.users import PublicUser
from capstone_chat.realtime import topics
from capstone_chat.realtime.hub import Hub
from capstone_chat.realtime.protocol import Edit, Send
from capstone_chat.storage.compiled import CompiledStatement
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.sql import matches_any_pair, pair_batches
from capstone_chat.storage.tables import conversations, events, members


class StoredMessage(msgspec.Struct, frozen=True):
    """A committed message or edit; `new` is False if an earlier request with its cid stored it."""

    event: Event
    new: bool


class Messages:
    """Posts, edits and deletes messages; concurrent posts and edits share a batch.

    Args:
        database: the database.
        hub: publishes the events.
        clock: function that returns milliseconds since 1970.
    """

    def __init__(self, database: Database, hub: Hub, *, clock: Callable[[], int] = now_ms) -> None:
        self._database = database
        self._hub = hub
        self._clock = clock

    def post(
        self, user: PublicUser, frame: Send | Edit, on_stored: Callable[[Event | Exception], None]
    ) -> None:
        """Store a message or an edit in the next batch, and publish it after the commit.

        A repeated cid returns the stored event, so a client without an ack can send again.

        Args:
            user: the sender.
            frame: the message, or the edit of a message of the sender.
            on_stored: called on the event loop after the commit with the event, or with the
                exception. The codes of a `Refusal` are `not_found` (no such conversation, the
                sender is not a member, or there is no message to answer or to edit), `blocked` (a
                member of a private chat has blocked the other), `user_deleted` (the other member of
                a private chat has deleted the account), `not_yours` and `message_deleted` (the
                message cannot be edited) and `conflict` (the cid was used for something else).
        """
        if isinstance(frame, Send):
            type_, target = "message", frame.reply
        else:
            type_, target = "edited", frame.seq
        new_event = NewEvent(frame.conv, type_, user, frame.text, frame.cid, target)
        self._database.enqueue(
            self._insert_batch, new_event, functools.partial(self._after_commit, on_stored)
        )

    async def require_can_post(self, user: PublicUser, conv: int) -> None:
        """Check that the user may post to a conversation.

        Raises:
            Refusal: the user may not; `post` lists the codes.
        """
        new_event = NewEvent(conv, "message", user)
        rejections = await self._database.read_batched(
            lambda connection: _rejections(connection, [new_event])
        )
        for rejection in rejections.values():
            raise rejection

    async def delete(self, user: PublicUser, conv: int, seq: int) -> None:
        """Delete a message: the text is deleted, the event stays.

        Users delete their own messages, the owner of a group also those of others.

        Raises:
            NotFound: there is no such message, or the user is not a member.
            NotAllowed: another user wrote the message, and the user is not the owner.
        """
        at = self._clock()

        def change(connection: sa.Connection) -> list[Event]:
            lock_conversations(connection, [conv])
            role = require_member(connection, conv, user.id)
            message = event_log.originals(connection, [(conv, seq)]).get((conv, seq))
            if message is None:
                raise NotFound
            is_own = message.author.id == user.id
            if not is_own and role != "owner":
                raise not_yours()
            if message.text is None:
                return []
            subject = None if is_own else message.author
            new_event = NewEvent(conv, "deleted", user, target=seq, subject=subject)
            return event_log.append(connection, [new_event], at)

        await self._database.write(change, functools.partial(publish_events, self._hub))

    def _insert_batch(
        self, connection: sa.Connection, new_events: list[NewEvent]
    ) -> list[StoredMessage | Refusal]:
        """Insert messages and edits; for a repeated cid return the stored one.

        Repetitions are rare, so a batch does not search for them. It fails on the unique index and
        runs again with savepoints, divided (see `group_commit`) until the repeated message is
        alone; only then it is searched by its cid.
        """
        lock_conversations(connection, {new_event.conv for new_event in new_events})
        rejections = _rejections(connection, new_events)
        if (
            len(new_events) == 1
            and not rejections
            and connection.in_nested_transaction()
            and (event := _find_by_cid(connection, new_events[0]))
        ):
            if _is_resend(event, new_events[0]):
                return [StoredMessage(event, new=False)]
            return [Conflict("conflict", "This cid was used for another message.")]
        new_events, target_rejections = _with_originals(connection, new_events)
        refusals = [
            rejections.get((new_event.conv, new_event.author.id)) or rejection
            for new_event, rejection in zip(new_events, target_rejections, strict=True)
        ]
        accepted = [
            new_event
            for new_event, refusal in zip(new_events, refusals, strict=True)
            if refusal is None
        ]
        stored = iter(event_log.append(connection, accepted, self._clock()) if accepted else [])
        return [refusal or StoredMessage(next(stored), new=True) for refusal in refusals]

    def _after_commit(
        self, on_stored: Callable[[Event | Exception], None], result: StoredMessage | Exception
    ) -> None:
        if isinstance(result, Exception):
            on_stored(result)
            return
        if result.new:
            self._hub.publish(topics.conversation(result.event.conv), result.event.to_dict())
        on_stored(result.event)


def _is_resend(event: Event, new_event: NewEvent) -> bool:
    """Return whether a stored message or edit equals the one that is sent again.

    The text of a message that was edited or deleted since cannot be compared.
    """
    is_same_text = event.text in (new_event.text, None) or event.changed not in (event.seq, None)
    same = (new_event.conv, new_event.type, new_event.target)
    return (event.conv, event.type, event.target) == same and is_same_text


def _with_originals(
    connection: sa.Connection, new_events: list[NewEvent]
) -> tuple[list[NewEvent], list[Refusal | None]]:
    """Return new events with the messages that they answer, and the refusal of each or None."""
    targets = {(one.conv, one.target) for one in new_events if one.target is not None}
    if not targets:
        return new_events, [None] * len(new_events)
    found = event_log.originals(connection, targets)
    complete, refusals = [], []
    for new_event in new_events:
        original = found.get((new_event.conv, new_event.target or 0))
        complete.append(msgspec.structs.replace(new_event, original=original))
        refusals.append(_refusal_by_original(new_event, original))
    return complete, refusals


def _refusal_by_original(new_event: NewEvent, original: Original | None) -> Refusal | None:
    """Return the refusal if a message cannot be answered or edited; None if it can."""
    if new_event.target is None:
        return None
    if original is None:
        return NotFound("There is no such message.")
    if new_event.type == "edited" and original.author.id != new_event.author.id:
        return not_yours()
    if new_event.type == "edited" and original.text is None:
        return NotAllowed("message_deleted", "This message has been deleted.")
    return None


@functools.cache
def _memberships_statement(count: int) -> CompiledStatement:
    return CompiledStatement(
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
) -> dict[tuple[int, int], Refusal]:
    """Return the refusal for each (conversation, sender) that may not post."""
    memberships = {(new_event.conv, new_event.author.id) for new_event in new_events}
    allowed = {}
    for count, values in pair_batches(memberships):
        for conv, user, kind, pair in _memberships_statement(count).fetch_all(connection, values):
            allowed[conv, user] = kind, pair
    rejections: dict[tuple[int, int], Refusal] = {
        membership: no_such_conversation() for membership in memberships - allowed.keys()
    }
    if private := {membership for membership, (kind, _) in allowed.items() if kind == "private"}:
        rejections |= {
            membership: NotAllowed("user_deleted", "This account has been deleted.")
            for membership in private
            if allowed[membership][1] is None
        }
        rejections |= {pair: blocked() for pair in blocked_pairs(connection, private)}
    return rejections


_EDITED = events.alias("edited")
_WITH_CID = CompiledStatement(
    sa.select(
        *(events.c.conversation_id, events.c.seq, events.c.type, events.c.at, events.c.target),
        *(events.c.text, events.c.changed, _EDITED.c.text, _EDITED.c.changed),
    )
    .outerjoin(
        _EDITED,
        (_EDITED.c.conversation_id == events.c.conversation_id)
        & (_EDITED.c.seq == events.c.target)
        & (events.c.type == "edited"),
    )
    .where(events.c.user_id == sa.bindparam("user"), events.c.cid == sa.bindparam("cid"))
)


def _find_by_cid(connection: sa.Connection, new_event: NewEvent) -> Event | None:
    """Return the stored event; an edit has the text and `changed` of its message."""
    found = _WITH_CID.fetch_all(connection, {"user": new_event.author.id, "cid": new_event.cid})
    for conv, seq, type_, at, target, *own_and_edited in found:
        text, changed = own_and_edited[2:] if type_ == "edited" else own_and_edited[:2]
        return Event(conv, seq, type_, new_event.author, at, text, target, changed=changed)
    return None
