"""Users: registration, login, and what people change about themselves.

Hashing a password and decoding a picture take time, and so does a queue in front of them. Whatever
was true before such a wait (the password, the account, the session) is checked again in the
transaction that relies on it.
"""

import contextlib
import functools
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa

from capstone_chat.accounts.passwords import Passwords
from capstone_chat.accounts.sessions import Session, Sessions
from capstone_chat.conversations import invitations, membership
from capstone_chat.conversations.event_log import Event
from capstone_chat.conversations.users import ALIVE, USER, Gone, Person, User, lock_alive
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.sql import insert_returning_id
from capstone_chat.storage.tables import contacts, conversations, members, pictures, users
from capstone_chat.text import names

T = TypeVar("T")

MAX_VERIFICATIONS = 5
"""Times that a password is verified when the stored hash changes in the meantime."""

DELETED = "deleted user"
"""The nickname of all who have deleted their account."""


class NameTaken(Exception):
    """Another user has this user name, or one that looks like it."""


class _Changed(Exception):
    """The account or its password has changed since the password was verified."""


@dataclass(frozen=True, slots=True)
class Login:
    """A session that has just started."""

    user: User
    token: str
    """The secret id of the session, for the cookie."""
    ended: list[int]
    """Sessions that ended because the user has too many."""


@dataclass(frozen=True, slots=True)
class _Verified:
    """A user whose password was right."""

    user: User
    stored: str
    """The hash with which the password was compared."""
    renewed: str | None
    """A hash with today's parameters, if the stored one is weaker."""


class Accounts:
    """Registers users, checks logins, and changes what users say of themselves.

    Args:
        clock: milliseconds since 1970.
    """

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        sessions: Sessions,
        *,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._sessions = sessions
        self._clock = clock

    async def is_taken(self, name: str) -> bool:
        """Tell whether somebody has this user name, one that differs in case only, or one that
        looks like it.

        Args:
            name: a name without a `names.name_problem`.
        """
        same = users.c.name_key == names.key(name)
        alike = users.c.name_skeleton == names.skeleton(name)
        query = sa.select(sa.exists().where(same) | sa.exists().where(alike))
        return bool(await self._database.read(lambda connection: connection.scalar(query)))

    async def register(self, name: str, password: str, nickname: str, agent: str = "") -> Login:
        """Store a user with checked names and password, and start a session in the same commit.

        Args:
            agent: the browser's own description, shown in the list of sessions.

        Raises:
            NameTaken: another user has the name, or one that looks like it.
        """
        row = users.insert().values(
            name=name,
            name_key=names.key(name),
            name_skeleton=names.skeleton(name),
            nickname=nickname,
            password=await self._passwords.hash(password),
            created_at=self._clock(),
        )

        def create(connection: sa.Connection) -> Login:
            user = User(insert_returning_id(connection, row), nickname, None, name, "", "")
            return Login(user, *self._sessions.create(connection, user, agent))

        try:
            return await self._database.write(create)
        except sa.exc.IntegrityError as error:
            raise NameTaken(name) from error

    async def log_in(self, name: str, password: str, agent: str) -> Login | None:
        """Start a session for the user with this name and password.

        Returns:
            None for a wrong password, an unknown name, or an account that is disabled or deleted:
            all take as long.
        """

        def start(connection: sa.Connection, user: User) -> Login:
            return Login(user, *self._sessions.create(connection, user, agent))

        def committed(login: Login) -> None:
            if login.ended:
                self._sessions.announce_end(login.user, login.ended)

        who = users.c.name_key == names.key(name)
        return await self._with_password(who, password, start, committed)

    async def change_password(self, session: Session, old: str, new: str) -> bool:
        """Store a new password, already checked, and end all other sessions in the same commit.

        Returns:
            False when the old password is wrong.

        Raises:
            Gone: the session or the account has ended.
        """
        fresh = await self._passwords.hash(new)

        def change(connection: sa.Connection, user: User) -> list[int]:
            self._sessions.require_open(connection, session)
            _update(connection, user, password=fresh)
            return self._sessions.delete(connection, user, keep=session.id)

        ended = await self._with_password(
            users.c.id == session.user.id,
            old,
            change,
            lambda ended: self._sessions.announce_end(session.user, ended),
        )
        return ended is not None

    async def change_profile(self, session: Session, **values: str) -> None:
        """Store a new nickname, language or theme, already checked.

        Raises:
            Gone: the session or the account has ended.
        """

        def change(connection: sa.Connection) -> None:
            self._require(connection, session)
            _update(connection, session.user, **values)

        await self._database.write(change)

    async def change_picture(self, session: Session, webp: bytes | None) -> str | None:
        """Store a picture (see `avatars.square`) or remove it, and return its new name.

        Raises:
            Gone: the session or the account has ended.
        """
        name = secrets.token_hex(16) if webp else None
        user = session.user

        def change(connection: sa.Connection) -> None:
            self._require(connection, session)
            connection.execute(pictures.delete().where(pictures.c.user_id == user.id))
            if webp:
                row = pictures.insert().values(name=name, user_id=user.id, webp=webp)
                connection.execute(row)
            _update(connection, user, picture=name)

        await self._database.write(change)
        return name

    async def picture(self, name: str) -> bytes | None:
        """Return a picture as WebP, or None when there is none of this name."""
        query = sa.select(pictures.c.webp).where(pictures.c.name == name)
        return await self._database.read(lambda connection: connection.scalar(query))

    async def delete(
        self, session: Session, password: str, told: Callable[[list[Event]], None]
    ) -> bool:
        """Delete an account and its sessions; its messages stay, under nobody's name.

        Args:
            told: called after the commit with the events for the members of its groups.

        Returns:
            False when the password is wrong.

        Raises:
            Gone: the session or the account has ended.
        """
        at = self._clock()

        def change(connection: sa.Connection, user: User) -> tuple[list[int], list[Event]]:
            self._sessions.require_open(connection, session)
            events = _delete_account(connection, user, at)
            return self._sessions.delete(connection, user), events

        def committed(done: tuple[list[int], list[Event]]) -> None:
            ended, events = done
            told(events)
            self._sessions.announce_end(session.user, ended)

        mine = users.c.id == session.user.id
        return await self._with_password(mine, password, change, committed) is not None

    async def _with_password(
        self,
        who: sa.ColumnElement[bool],
        password: str,
        act: Callable[[sa.Connection, User], T],
        committed: Callable[[T], None] | None = None,
    ) -> T | None:
        """Verify a password, then act in a transaction that sees the account unchanged.

        A hash that has changed since, by a new password or by a login that renewed it, is compared
        with the password anew.

        Args:
            who: the condition that finds the user.
            act: called in the transaction; what it returns is not None.
            committed: called on the loop after the commit, with what `act` has returned.

        Returns:
            None when the password is wrong.
        """
        for _ in range(MAX_VERIFICATIONS):
            verified = await self._verify(who, password)
            if verified is None:
                return None
            change = functools.partial(_act_unchanged, act=act, verified=verified)
            with contextlib.suppress(_Changed):
                return await self._database.write(change, committed)
        return None

    async def _verify(self, who: sa.ColumnElement[bool], password: str) -> _Verified | None:
        """Compare a password with the stored hash; that takes as long without a user."""
        query = sa.select(*USER, users.c.password).where(who, ALIVE)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        stored = row.password if row else None
        if not await self._passwords.verify(stored, password) or row is None:
            return None
        weak = self._passwords.needs_rehash(row.password)
        renewed = await self._passwords.hash(password) if weak else None
        return _Verified(User(*row[:-1]), row.password, renewed)

    def _require(self, connection: sa.Connection, session: Session) -> None:
        """Lock the user and the session until the commit.

        Raises:
            Gone: one of them has ended.
        """
        if not lock_alive(connection, session.user.id, change=True):
            raise Gone
        self._sessions.require_open(connection, session)


def _act_unchanged(
    connection: sa.Connection, *, act: Callable[[sa.Connection, User], T], verified: _Verified
) -> T:
    """Act for a user whose password was verified.

    Raises:
        _Changed: the stored hash is another one by now, or the account is not in use.
    """
    user = verified.user
    query = sa.select(users.c.password).where(users.c.id == user.id)
    alive = lock_alive(connection, user.id, change=True)
    if not alive or connection.scalar(query) != verified.stored:
        raise _Changed
    if verified.renewed is not None:
        _update(connection, user, password=verified.renewed)
    return act(connection, user)


def _update(connection: sa.Connection, user: User, **values: str | None) -> None:
    connection.execute(users.update().where(users.c.id == user.id).values(**values))


def _delete_account(connection: sa.Connection, user: User, at: int) -> list[Event]:
    """Empty the row of a user and end all memberships in groups; return what these are told."""
    gone = {
        "name": f"deleted-{user.id}",
        "name_key": f"deleted user {user.id}",  # no name has a blank, so nobody has this one
        "name_skeleton": None,
        "nickname": DELETED,
        "password": "",
        "picture": None,
        "deleted_at": at,
    }
    theirs = sa.select(members.c.conversation_id).where(members.c.user_id == user.id)
    private = (conversations.c.kind == "private") & conversations.c.id.in_(theirs)
    groups = theirs.join(conversations).where(conversations.c.kind == "group")
    membership.lock(connection, connection.scalars(theirs).all())
    connection.execute(users.update().where(users.c.id == user.id).values(**gone))
    connection.execute(conversations.update().where(private).values(pair=None))
    for table in pictures, contacts:
        connection.execute(table.delete().where(table.c.user_id == user.id))
    connection.execute(contacts.delete().where(contacts.c.other_id == user.id))
    nobody = Person(user.id, DELETED, None)
    told = [
        event
        for conv in connection.scalars(groups).all()
        for event in membership.dismiss(connection, conv, nobody, at)
    ]
    invitations.end_all(connection, user.id)  # with the departures that `dismiss` has noted
    return told
