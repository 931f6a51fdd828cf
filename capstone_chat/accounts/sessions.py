"""Sessions: who is logged in, in which browser, for how long.

A session is a random id of 256 bits in the browser's cookie; the database keeps its hash only, so
who reads the database cannot log in (OWASP Session Management Cheat Sheet).

Clocks are set back, and those of several hosts differ. A stored time in the future counts as now:
nobody is logged out by it, and it is corrected, or the session would outlive its time.
"""

import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from capstone_chat.conversations.errors import SessionEnded
from capstone_chat.conversations.users import IS_ACTIVE, USER_COLUMNS, User
from capstone_chat.realtime import topics
from capstone_chat.realtime.broker import Broker
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.tables import sessions, users

log = logging.getLogger(__name__)

TOUCH_INTERVAL_MS = 60_000
"""Milliseconds between two updates of the last use of a session: not every request is a write."""

MAX_SESSIONS = 100
"""Valid sessions of one user: a further login deletes the one that was used least recently."""

CLOCK_TOLERANCE_MS = 60_000
"""Milliseconds in the future up to which a stored time is left alone: clocks differ a little."""


@dataclass(frozen=True, slots=True)
class Session:
    """One login of one user in one browser."""

    id: int
    user: User
    expires_at: int
    """Milliseconds since 1970, unless it is used before."""


_IS_VALID = (sessions.c.seen_at > sa.bindparam("seen_after")) & (
    sessions.c.created_at > sa.bindparam("created_after")
)
_SELECT_BY_TOKEN = (
    sa.select(sessions.c.id, sessions.c.created_at, sessions.c.seen_at, *USER_COLUMNS)
    .join(users)
    .where(sessions.c.token_hash == sa.bindparam("token_hash"), IS_ACTIVE, _IS_VALID)
)


class Sessions:
    """Creates, gets and revokes sessions; with a session its connections end, in every process.

    Args:
        idle: seconds after which an unused session ends.
        lifetime: seconds after which any session ends.
        clock: milliseconds since 1970.
    """

    def __init__(
        self,
        database: Database,
        broker: Broker,
        *,
        idle: int,
        lifetime: int,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._database = database
        self._broker = broker
        self._idle = idle * 1000
        self._lifetime = lifetime * 1000
        self._clock = clock

    def create(
        self, connection: sa.Connection, user: User, user_agent: str
    ) -> tuple[str, list[int]]:
        """Store a session in the transaction of the caller, which knows that the user may log in.

        Args:
            user_agent: the browser's own description, shown in the list of sessions.

        Returns:
            Its secret id, for the cookie; and the ids of the sessions that are deleted because the
            user has more than MAX_SESSIONS, for `disconnect` after the commit.
        """
        token = secrets.token_urlsafe(32)
        at = self._clock()
        row = sessions.insert().values(
            token_hash=_hash(token),
            user_id=user.id,
            created_at=at,
            seen_at=at,
            agent=user_agent[:200],
        )
        connection.execute(row)
        mine = sa.select(sessions.c.id).where(sessions.c.user_id == user.id)
        mine = mine.order_by(sessions.c.seen_at.desc(), sessions.c.id.desc())
        ended = list(connection.scalars(mine.limit(MAX_SESSIONS).offset(MAX_SESSIONS)))
        if ended:
            connection.execute(sessions.delete().where(sessions.c.id.in_(ended)))
        return token, ended

    async def get(self, token: str, *, touch: bool = True) -> Session | None:
        """Return the session of this secret id, or None when there is none or it has ended.

        Args:
            touch: store that the session is used, so that it does not expire.
        """
        row = await self._database.read_batched(lambda connection: self._select(connection, token))
        if row is None:
            return None
        session_id, created_at, seen_at, *user = row
        at = self._clock()
        ahead = max(created_at, seen_at) > at + CLOCK_TOLERANCE_MS
        created_at, seen_at = min(created_at, at), min(seen_at, at)
        if ahead or (touch and at - seen_at > TOUCH_INTERVAL_MS):
            try:
                if not await self._touch(session_id, touch=touch):
                    return None
            except sa.exc.SQLAlchemyError as error:  # a full disk: who only reads can go on
                log.error("the use of a session was not stored: %s", error)
            seen_at = at if touch else seen_at
        expires_at = min(created_at + self._lifetime, seen_at + self._idle)
        return Session(session_id, User(*user), expires_at)

    def is_valid(self, connection: sa.Connection, token: str) -> bool:
        """Tell whether there is such a session, in the transaction of the caller."""
        return self._select(connection, token) is not None

    def _select(self, connection: sa.Connection, token: str) -> Sequence[Any] | None:
        wanted = {"token_hash": _hash(token), **self._validity_bounds()}
        return connection.execute(_SELECT_BY_TOKEN, wanted).one_or_none()

    def require_valid(self, connection: sa.Connection, session: Session) -> None:
        """Lock a session until the commit, so that no other process revokes it before.

        Raises:
            SessionEnded: it has ended.
        """
        query = sa.select(sessions.c.id).where(sessions.c.id == session.id, _IS_VALID)
        if connection.scalar(query.with_for_update(read=True), self._validity_bounds()) is None:
            raise SessionEnded

    async def correct_times(self) -> None:
        """Set times in the future to now, as after the clock was set back.

        Without this, a session that nobody uses would end that much later.
        """
        at = self._clock()
        ahead = at + CLOCK_TOLERANCE_MS
        which = (sessions.c.created_at > ahead) | (sessions.c.seen_at > ahead)
        change = sessions.update().where(which).values(**_not_after(at))
        await self._database.write(lambda connection: connection.execute(change))

    async def _touch(self, session_id: int, *, touch: bool) -> bool:
        """Correct the times of a session and store its use; False if it has ended meanwhile."""
        at = self._clock()
        values = _not_after(at) | ({"seen_at": at} if touch else {})
        change = sessions.update().where(sessions.c.id == session_id, _IS_VALID).values(**values)
        ages = self._validity_bounds()
        return await self._database.write(
            lambda connection: connection.execute(change, ages).rowcount > 0
        )

    async def list_for(self, user: User) -> list[dict[str, Any]]:
        """Return the user's valid sessions, at most MAX_SESSIONS, the one used last first."""
        query = (
            sa.select(sessions.c.id, sessions.c.created_at, sessions.c.seen_at, sessions.c.agent)
            .where(sessions.c.user_id == user.id, _IS_VALID)
            .order_by(sessions.c.seen_at.desc(), sessions.c.id.desc())
            .limit(MAX_SESSIONS)
        )
        return await self._database.read(
            lambda connection: [
                row._asdict() for row in connection.execute(query, self._validity_bounds())
            ]
        )

    async def revoke(self, session: Session, session_id: int) -> bool:
        """Delete one session of a user; a copy of its cookie is of no use afterwards.

        Args:
            session: the session that asks for it, perhaps the same one.

        Returns:
            False when the user has no such session.

        Raises:
            SessionEnded: the session that asks has ended.
        """
        which = (sessions.c.user_id == session.user.id) & (sessions.c.id == session_id)

        def change(connection: sa.Connection) -> bool:
            if session_id != session.id:
                self.require_valid(connection, session)
            return connection.execute(sessions.delete().where(which)).rowcount > 0

        return await self._database.write(
            change, lambda _ended: self.disconnect(session.user, [session_id])
        )

    def revoke_all(
        self, connection: sa.Connection, user: User, keep: int | None = None
    ) -> list[int]:
        """Delete all sessions of a user except `keep`, in the transaction of the caller.

        Returns:
            Their ids, for `disconnect` after the commit.
        """
        which = (sessions.c.user_id == user.id) & (sessions.c.id != (keep or 0))
        ended = list(connection.scalars(sa.select(sessions.c.id).where(which)))
        connection.execute(sessions.delete().where(which))
        return ended

    def disconnect(self, user: User, session_ids: list[int]) -> None:
        """Close the connections of sessions that were deleted, in every process."""
        self._broker.send_control(topics.user(user.id), {"end_sessions": session_ids})

    def _validity_bounds(self) -> dict[str, int]:
        """Return the parameters of `_IS_VALID`."""
        at = self._clock()
        return {"seen_after": at - self._idle, "created_after": at - self._lifetime}


def _not_after(at: int) -> dict[str, Any]:
    """Return values for an update that leave no time of a session after `at`."""
    columns = sessions.c.created_at, sessions.c.seen_at
    return {column.name: sa.case((column > at, at), else_=column) for column in columns}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
