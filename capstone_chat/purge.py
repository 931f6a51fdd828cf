"""The purge: deletes unreachable rows in the background.

    sessions        expired for a day, or of a deleted user
    captchas        expired
    failures        too old to delay a login
    invite_links    expired
    contacts        of a deleted user, or with a deleted user
    pictures        replaced or removed
    conversations   without a member whose account exists: all members have left, or both members
                    of a private chat are deleted users; with all rows that refer to them: events,
                    members, invitations, invite_links, departures

All other rows are reachable: by a login, by a contact list, or by the history of a conversation
that has members. The row of a deleted user stays. It holds no name, password or picture, and events
refer to it. A search for the last of these events would read the whole history, and an index of
events by author makes the commit of a message 1.5 times as expensive.

The purge does not slow down users: it finds rows by primary key, a page at a time, deletes them a
batch at a time, and after each transaction it pauses for longer than the transaction took. A batch
checks the condition again, so several processes, or a chat and the admin command, may purge at the
same time.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import sqlalchemy as sa

from capstone_chat.accounts.login_throttle import FORGET_AFTER_MS
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.sql import Condition
from capstone_chat.storage.tables import (
    captchas,
    contacts,
    conversations,
    invite_links,
    login_failures,
    members,
    metadata,
    pictures,
    sessions,
    users,
)

log = logging.getLogger(__name__)

BATCH_SIZE = 100
"""Maximum number of rows that one transaction deletes."""

PAGE_SIZE = 500
"""Maximum number of rows that one read examines."""

MIN_PAUSE = 0.05
"""Minimum number of seconds between two transactions."""

PAUSE_FACTOR = 4
"""Minimum length of a pause as a multiple of the duration of the transaction before it: a slow disk
or a busy server gets longer pauses."""

GRACE_MS = 86_400_000
"""Milliseconds for which an expired session is kept, in case the clock is wrong."""

CLOCK_TOLERANCE = 3600
"""Seconds by which the clock may change between two rounds; a round after a larger change is
skipped."""

PrimaryKey = tuple[Any, ...]
"""The values of a primary key."""


def _columns_referring_to(table: sa.Table) -> list[sa.Column[Any]]:
    """Return the columns with a foreign key to a table, in an order in which to delete rows."""
    return [
        column
        for other in reversed(metadata.sorted_tables)
        for column in other.columns
        if any(key.column.table is table for key in column.foreign_keys)
    ]


_CONVERSATION_REFERENCES = _columns_referring_to(conversations)

_IS_UNREACHABLE = ~sa.exists().where(
    members.c.conversation_id == conversations.c.id,
    users.c.id == members.c.user_id,
    users.c.deleted_at.is_(None),
)
"""Condition of unreachable conversations. It stays true, because a deleted user cannot log in
again, and only a member can add members."""


class Purge:
    """Deletes unreachable rows, once or periodically.

    Args:
        database: the database.
        idle: seconds after which an unused session ends.
        lifetime: seconds after which any session ends.
        pause: minimum number of seconds between two transactions.
        clock: function that returns milliseconds since 1970.
        monotonic: function that returns monotonic seconds.
    """

    def __init__(
        self,
        database: Database,
        *,
        idle: int,
        lifetime: int,
        pause: float = MIN_PAUSE,
        clock: Callable[[], int] = now_ms,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._idle = idle * 1000
        self._lifetime = lifetime * 1000
        self._pause = pause
        self._clock = clock
        self._monotonic = monotonic
        self._times = self._read_clocks()
        self._task: asyncio.Task[None] | None = None
        kinds = [table for table, _ in self._unreachable_rows(0)] + [conversations]
        kinds += [column.table for column in _CONVERSATION_REFERENCES]
        self.deleted = dict.fromkeys((table.name for table in kinds), 0)
        """Number of rows deleted since the start, by table."""
        self.failed = 0
        """Number of rounds that ended with an error of the database."""
        self.seconds = 0.0
        """Duration of the last complete round, in seconds."""
        self.finished_at = 0
        """End of the last complete round, in milliseconds since 1970."""

    def start(self, interval: float) -> None:
        """Start to purge every `interval` seconds on average.

        The intervals are random, so that many processes do not purge at the same time.
        """
        self._task = asyncio.create_task(self._repeat(interval))

    async def stop(self) -> None:
        """Stop the rounds that `start` has started."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _repeat(self, interval: float) -> None:
        while True:
            await asyncio.sleep(interval * random.uniform(0.5, 1.5))  # noqa: S311
            await self.run_if_clock_is_right()

    async def run_if_clock_is_right(self) -> None:
        """Run a round unless the clock was changed since the last one.

        After a change of the clock the operator has until the next round to correct it. An error of
        the database ends the round and is logged.
        """
        before, self._times = self._times, self._read_clocks()
        changed = (self._times[0] - before[0]) - (self._times[1] - before[1])
        if abs(changed) > CLOCK_TOLERANCE:
            log.warning("the clock has changed by %.0f s: nothing is purged this time", changed)
            return
        try:
            await self.run()
        except sa.exc.SQLAlchemyError as error:
            self.failed += 1
            log.error("the purge has ended early: %s", error)

    def _read_clocks(self) -> tuple[float, float]:
        return self._clock() / 1000, self._monotonic()

    async def run(self) -> None:
        """Delete all rows that are unreachable now.

        Raises:
            SQLAlchemyError: the database cannot be used; earlier batches stay deleted.
        """
        began = time.monotonic()
        for table, unreachable in self._unreachable_rows(self._clock()):
            async for keys in self._find_keys(table, unreachable):
                await self._delete(table, keys, unreachable)
        async for keys in self._find_keys(conversations, _IS_UNREACHABLE):
            for (conv,) in keys:
                await self._delete_conversation(conv)
        self.seconds = time.monotonic() - began
        self.finished_at = self._clock()

    def _unreachable_rows(self, at: int) -> list[tuple[sa.Table, Condition]]:
        """Return tables whose rows nothing refers to, with the conditions of unreachable rows.

        Args:
            at: milliseconds since 1970.
        """
        deleted = users.c.deleted_at.is_not(None)
        return [
            (
                sessions,
                (sessions.c.seen_at <= at - self._idle - GRACE_MS)
                | (sessions.c.created_at <= at - self._lifetime - GRACE_MS)
                | sa.exists().where(users.c.id == sessions.c.user_id, deleted),
            ),
            (captchas, captchas.c.expires_at <= at),
            (login_failures, login_failures.c.at < at - FORGET_AFTER_MS),
            (invite_links, invite_links.c.expires_at <= at),
            (
                contacts,
                sa.exists().where(users.c.id == contacts.c.user_id, deleted)
                | sa.exists().where(users.c.id == contacts.c.other_id, deleted),
            ),
            (
                pictures,
                ~sa.exists().where(
                    users.c.id == pictures.c.user_id, users.c.picture == pictures.c.name
                ),
            ),
        ]

    async def _find_keys(
        self, table: sa.Table, unreachable: Condition
    ) -> AsyncIterator[list[PrimaryKey]]:
        """Yield the primary keys of unreachable rows in order, in batches of `BATCH_SIZE`."""
        key = list(table.primary_key)
        query = sa.select(*key, unreachable).order_by(*key).limit(PAGE_SIZE)
        after: PrimaryKey = tuple("" if column.type.python_type is str else -1 for column in key)
        while True:
            began = time.monotonic()
            page = query.where(_comes_after(key, after))
            rows = await self._database.read(lambda c: c.execute(page).all())  # noqa: B023
            await self._wait(began)
            found = [tuple(row[:-1]) for row in rows if row[-1]]
            for first in range(0, len(found), BATCH_SIZE):
                yield found[first : first + BATCH_SIZE]
            if len(rows) < PAGE_SIZE:
                return
            after = tuple(rows[-1][:-1])

    async def _delete(
        self, table: sa.Table, keys: list[PrimaryKey], unreachable: Condition
    ) -> None:
        rows = table.delete().where(_is_one_of(table, keys), unreachable)
        await self._write(table, lambda connection: connection.execute(rows).rowcount)

    async def _delete_conversation(self, conv: int) -> None:
        """Delete a conversation after all rows that refer to it."""
        for column in _CONVERSATION_REFERENCES:
            while await self._write(column.table, lambda c: _delete_references(c, conv, column)):  # noqa: B023
                pass
        await self._write(conversations, lambda connection: _delete_unreferenced(connection, conv))

    async def _write(self, table: sa.Table, change: Callable[[sa.Connection], int]) -> int:
        """Run a change in a transaction, count its deleted rows, and pause; return their number."""
        began = time.monotonic()
        count = await self._database.write(change)
        self.deleted[table.name] += count
        await self._wait(began)
        return count

    async def _wait(self, began: float) -> None:
        await asyncio.sleep(max(self._pause, PAUSE_FACTOR * (time.monotonic() - began)))


def _is_unreachable(connection: sa.Connection, conv: int) -> bool:
    """Return whether a conversation is unreachable; lock it until the commit.

    Also return False if another process has locked the conversation: that process purges it, and
    waiting for its lock could end in a deadlock.
    """
    lock = sa.select(conversations.c.id).where(conversations.c.id == conv)
    if connection.scalar(lock.with_for_update(skip_locked=True)) is None:
        return False
    return connection.scalar(lock.where(_IS_UNREACHABLE)) is not None


def _delete_references(connection: sa.Connection, conv: int, column: sa.Column[Any]) -> int:
    """Delete up to BATCH_SIZE rows that refer to an unreachable conversation; return how many."""
    if not _is_unreachable(connection, conv):
        return 0
    table = column.table
    key = list(table.primary_key)
    query = sa.select(*key).where(column == conv).order_by(*key).limit(BATCH_SIZE)
    keys = [tuple(row) for row in connection.execute(query)]
    if not keys:
        return 0
    return connection.execute(table.delete().where(_is_one_of(table, keys))).rowcount


def _delete_unreferenced(connection: sa.Connection, conv: int) -> int:
    """Delete an unreachable conversation without references; return 1, or 0 if it stays.

    The newest conversation stays until there is a newer one. SQLite would give its id to the next
    conversation, and a page that still shows the old one would mix up the two.
    """
    newest = connection.scalar(sa.select(sa.func.max(conversations.c.id)))
    if conv == newest and connection.dialect.name == "sqlite":
        return 0
    rest = [sa.select(sa.exists().where(column == conv)) for column in _CONVERSATION_REFERENCES]
    if not _is_unreachable(connection, conv) or any(connection.scalar(query) for query in rest):
        return 0
    return connection.execute(conversations.delete().where(conversations.c.id == conv)).rowcount


def _comes_after(key: list[sa.Column[Any]], after: PrimaryKey) -> Condition:
    """Return the condition that a primary key of one or two columns is greater than another one.

    The condition on the first column alone is redundant, but with it every database can search the
    index.
    """
    first, *second = key
    if not second:
        return first > sa.literal(after[0])
    beyond = (first > sa.literal(after[0])) | (second[0] > sa.literal(after[1]))
    return sa.and_(first >= sa.literal(after[0]), beyond)


def _is_one_of(table: sa.Table, keys: Sequence[PrimaryKey]) -> Condition:
    """Return the condition that a row has one of these primary keys."""
    columns = list(table.primary_key)
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    # For a row-value IN, SQLite reads the whole table.
    return sa.or_(
        *(sa.and_(*(c == value for c, value in zip(columns, key, strict=True))) for key in keys)
    )
