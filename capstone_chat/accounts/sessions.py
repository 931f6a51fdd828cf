"""Sessions: creation, lookup, expiry and revocation.

The browser's cookie holds a random id of 256 bits. The database has only its hash, so a copy of the
database cannot be used to log in (OWASP Session Management Cheat Sheet).

Clocks are set back, and the clocks of several hosts differ. A stored time in the future counts as
now and is corrected. Otherwise the session would be valid for too long.
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
from capstone_chat.realtime.control import DisconnectSessions
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage.compiled import CompiledStatement
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.tables import sessions, users

log = logging.getLogger(__name__)

TOUCH_INTERVAL_MS = 60_000
"""Minimum number of milliseconds between two updates of a session's last use, which are writes."""

MAX_SESSIONS = 100
"""Maximum number of sessions of a user; a further login deletes the least recently used one."""

CLOCK_TOLERANCE_MS = 60_000
"""Milliseconds in the future up to which a stored time is not corrected: clocks differ slightly."""


@dataclass(frozen=True, slots=True)
class Session:
    """A login of a user in a browser."""

    id: int
    user: User


_IS_VALID = (sessions.c.seen_at > sa.bindparam("seen_after")) & (
    sessions.c.created_at > sa.bindparam("created_after")
)
_SELECT_BY_TOKEN = CompiledStatement(
    sa.select(sessions.c.id, sessions.c.created_at, sessions.c.seen_at, *USER_COLUMNS)
    .join(users)
    .where(sessions.c.token_hash == sa.bindparam("token_hash"), IS_ACTIVE, _IS_VALID)
)


class Sessions:
    """Creates, gets and revokes sessions. A revocation closes connections in every process.

    Args:
        database: the database.
        hub: carries the end of sessions to their connections.
        idle: seconds after which an unused session ends.
        lifetime: seconds after which any session ends.
        clock: function that returns milliseconds since 1970.
    """

    def __init__(
        self,
        database: Database,
        hub: Hub,
        *,
        idle: int,
        lifetime: int,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._database = database
        self._hub = hub
        self._idle = idle * 1000
        self._lifetime = lifetime * 1000
        self._clock = clock

    def create(
        self, connection: sa.Connection, user: User, user_agent: str
    ) -> tuple[str, list[int]]:
        """Store a session in the caller's transaction. The caller has authenticated the user.

        Args:
            connection: the connection with the transaction.
            user: the user.
            user_agent: the browser's User-Agent header, shown in the list of sessions.

        Returns:
            The secret id of the session, for the cookie; and the ids of sessions that are deleted
            because the user has more than MAX_SESSIONS, for `disconnect` after the commit.
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
        """Return the session of a secret id, or None if there is none or it has expired.

        Args:
            token: the secret id from the cookie.
            touch: whether to record the use of the session, which postpones its expiry.
        """
        row = await self._database.read_batched(lambda connection: self._select(connection, token))
        if row is None:
            return None
        session_id, created_at, seen_at, *user = row
        at = self._clock()
        ahead = max(created_at, seen_at) > at + CLOCK_TOLERANCE_MS
        if ahead or (touch and at - seen_at > TOUCH_INTERVAL_MS):
            try:
                if not await self._touch(session_id, touch=touch):
                    return None
            except sa.exc.SQLAlchemyError as error:  # on a full disk, reading still works
                log.error("the use of a session was not stored: %s", error)
        return Session(session_id, User(*user))

    def is_valid(self, connection: sa.Connection, token: str) -> bool:
        """Return whether the session of a secret id exists and has not expired."""
        return self._select(connection, token) is not None

    def _select(self, connection: sa.Connection, token: str) -> Sequence[Any] | None:
        wanted = {"token_hash": _hash(token), **self._validity_bounds()}
        found = _SELECT_BY_TOKEN.fetch_all(connection, wanted)
        return found[0] if found else None

    def require_valid(self, connection: sa.Connection, session: Session) -> None:
        """Lock a session until the commit, so that no other process revokes it before that.

        Raises:
            SessionEnded: the session has ended.
        """
        query = sa.select(sessions.c.id).where(sessions.c.id == session.id, _IS_VALID)
        if connection.scalar(query.with_for_update(read=True), self._validity_bounds()) is None:
            raise SessionEnded

    async def correct_times(self) -> None:
        """Set times in the future to now, after the clock was set back.

        Without this, an unused session would expire later by that difference.
        """
        at = self._clock()
        ahead = at + CLOCK_TOLERANCE_MS
        which = (sessions.c.created_at > ahead) | (sessions.c.seen_at > ahead)
        change = sessions.update().where(which).values(**_not_after(at))
        await self._database.write(lambda connection: connection.execute(change))

    async def _touch(self, session_id: int, *, touch: bool) -> bool:
        """Correct the times of a session and store its use; return False if it has ended."""
        at = self._clock()
        values = _not_after(at) | ({"seen_at": at} if touch else {})
        change = sessions.update().where(sessions.c.id == session_id, _IS_VALID).values(**values)
        ages = self._validity_bounds()
        return await self._database.write(
            lambda connection: connection.execute(change, ages).rowcount > 0
        )

    async def list_for(self, user: User) -> list[dict[str, Any]]:
        """Return the user's valid sessions, the most recently used first, at most MAX_SESSIONS."""
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
        """Delete a session of a user, which invalidates its cookie and closes its connections.

        Args:
            session: the session of the request.
            session_id: the session to delete, which may be that of the request.

        Returns:
            False if the user has no such session.

        Raises:
            SessionEnded: the session of the request has ended.
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
        """Delete all sessions of a user except `keep`, in the caller's transaction.

        Returns:
            The ids of the deleted sessions, for `disconnect` after the commit.
        """
        which = (sessions.c.user_id == user.id) & (sessions.c.id != (keep or 0))
        ended = list(connection.scalars(sa.select(sessions.c.id).where(which)))
        connection.execute(sessions.delete().where(which))
        return ended

    def disconnect(self, user: User, session_ids: list[int]) -> None:
        """Close the connections of deleted sessions, if there are any, in every process."""
        if session_ids:
            self._hub.send_control(topics.user(user.id), DisconnectSessions(session_ids))

    def _validity_bounds(self) -> dict[str, int]:
        """Return the parameters of `_IS_VALID`."""
        at = self._clock()
        return {"seen_after": at - self._idle, "created_after": at - self._lifetime}


def _not_after(at: int) -> dict[str, Any]:
    """Return values for an update that reduces later times of a session to `at`."""
    columns = sessions.c.created_at, sessions.c.seen_at
    return {column.name: sa.case((column > at, at), else_=column) for column in columns}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
