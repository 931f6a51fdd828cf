"""Sessions: who is logged in, in which browser, for how long.

A session is a random id of 256 bits in the browser's cookie; the database keeps its hash only, so
who reads the database cannot log in (OWASP Session Management Cheat Sheet).
"""

import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from capstone_chat import bus
from capstone_chat.accounts import ALIVE, USER, User
from capstone_chat.bus import Bus
from capstone_chat.database import Database, now
from capstone_chat.schema import sessions, users

log = logging.getLogger(__name__)

SEEN_EVERY = 60_000
"""Milliseconds between two notes that a session was used: not every request is a write."""


@dataclass(frozen=True, slots=True)
class Session:
    """One login of one user in one browser."""

    id: int
    user: User
    ends_at: int
    """Milliseconds since 1970: when it ends unless it is used before."""


_OPEN = (sessions.c.seen_at > sa.bindparam("seen_after")) & (
    sessions.c.created_at > sa.bindparam("created_after")
)
_FIND = (
    sa.select(sessions.c.id, sessions.c.created_at, sessions.c.seen_at, *USER)
    .join(users)
    .where(sessions.c.token_hash == sa.bindparam("token_hash"), ALIVE, _OPEN)
)


class Sessions:
    """Begins, finds and ends sessions; with a session its open sockets end, in every process.

    Args:
        idle: seconds after which an unused session ends.
        lifetime: seconds after which any session ends.
        clock: milliseconds since 1970.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        *,
        idle: int,
        lifetime: int,
        clock: Callable[[], int] = now,
    ) -> None:
        self._database = database
        self._bus = bus
        self._idle = idle * 1000
        self._lifetime = lifetime * 1000
        self._clock = clock

    async def start(self, user: User, agent: str) -> str:
        """Begin a session and return its secret id, for the cookie.

        Args:
            agent: the browser's own description, shown in the list of sessions.
        """
        token = secrets.token_urlsafe(32)
        at = self._clock()
        row = sessions.insert().values(
            token_hash=_hash(token), user_id=user.id, created_at=at, seen_at=at, agent=agent[:200]
        )
        await self._database.write(lambda connection: connection.execute(row))
        return token

    async def find(self, token: str, *, use: bool = True) -> Session | None:
        """Return the session of this secret id, or None when there is none or it has ended.

        Args:
            use: note that the session was used, so that it does not end for want of use.
        """
        row = await self._database.look_up(lambda connection: self._row(connection, token))
        if row is None:
            return None
        session_id, created_at, seen_at, *user = row
        at = self._clock()
        if use and at - seen_at > SEEN_EVERY:
            try:
                await self.note_use(session_id)
            except sa.exc.SQLAlchemyError as error:  # a full disk: who only reads can go on
                log.error("the use of a session was not noted: %s", error)
            seen_at = at
        ends_at = min(created_at + self._lifetime, seen_at + self._idle)
        return Session(session_id, User(*user), ends_at)

    def is_open(self, connection: sa.Connection, token: str) -> bool:
        """Tell whether there is such a session, in the transaction of whoever asks."""
        return self._row(connection, token) is not None

    def _row(self, connection: sa.Connection, token: str) -> Sequence[Any] | None:
        wanted = {"token_hash": _hash(token), **self._ages()}
        return connection.execute(_FIND, wanted).one_or_none()

    async def note_use(self, session_id: int) -> None:
        """Keep a session from ending for want of use."""
        seen = sessions.update().where(sessions.c.id == session_id).values(seen_at=self._clock())
        await self._database.write(lambda connection: connection.execute(seen))

    async def of(self, user: User) -> list[dict[str, Any]]:
        """Return the user's open sessions, the one used last first."""
        query = (
            sa.select(sessions.c.id, sessions.c.created_at, sessions.c.seen_at, sessions.c.agent)
            .where(sessions.c.user_id == user.id, _OPEN)
            .order_by(sessions.c.seen_at.desc())
        )
        return await self._database.read(
            lambda connection: [row._asdict() for row in connection.execute(query, self._ages())]
        )

    async def end(self, user: User, session_id: int) -> bool:
        """End one session of a user: a copy of its cookie is worth nothing from here on."""
        return session_id in await self._end(user, sessions.c.id == session_id)

    async def end_others(self, user: User, keep: int | None = None) -> None:
        """End all sessions of a user, but for one to keep."""
        await self._end(user, sessions.c.id != (keep or 0))

    async def _end(self, user: User, which: sa.ColumnElement[bool]) -> list[int]:
        mine = (sessions.c.user_id == user.id) & which

        def delete(connection: sa.Connection) -> list[int]:
            ended = list(connection.scalars(sa.select(sessions.c.id).where(mine)))
            connection.execute(sessions.delete().where(mine))
            return ended

        def tell(ended: list[int]) -> None:
            self._bus.order(bus.user(user.id), {"end_sessions": ended})

        return await self._database.write(delete, tell)

    def _ages(self) -> dict[str, int]:
        """Return the values of `_OPEN`."""
        at = self._clock()
        return {"seen_after": at - self._idle, "created_after": at - self._lifetime}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
