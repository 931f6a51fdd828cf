"""Users: registration, login, and changes of their accounts.

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
from capstone_chat.conversations.errors import SessionEnded
from capstone_chat.conversations.event_log import Event
from capstone_chat.conversations.users import (
    IS_ACTIVE,
    USER_COLUMNS,
    PublicUser,
    User,
    lock_active_users,
)
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.sql import insert_returning_id
from capstone_chat.storage.tables import contacts, conversations, members, pictures, users
from capstone_chat.text import names

T = TypeVar("T")

MAX_VERIFICATIONS = 5
"""Times that a password is verified when the stored hash changes in the meantime."""

DELETED_NICKNAME = "deleted user"
"""The nickname of all deleted users."""


class NameTaken(Exception):
    """Another user has this user name, or one that looks like it."""


class _AccountChanged(Exception):
    """The account or its password has changed since the password was verified."""


@dataclass(frozen=True, slots=True)
class Login:
    """A session that has just started."""

    user: User
    token: str
    """The secret id of the session, for the cookie."""
    evicted_sessions: list[int]
    """Ids of sessions that were deleted because the user had too many."""


@dataclass(frozen=True, slots=True)
class _VerifiedUser:
    """A user whose password was verified."""

    user: User
    stored_hash: str
    """The hash with which the password was compared."""
    new_hash: str | None
    """A hash with the current parameters, if those of the stored one are weaker."""


class Accounts:
    """Registers users, checks logins, and changes accounts.

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
            name: a name for which `names.find_username_problem` is None.
        """
        same = users.c.name_key == names.canonical_key(name)
        alike = users.c.name_skeleton == names.skeleton(name)
        query = sa.select(sa.exists().where(same) | sa.exists().where(alike))
        return bool(await self._database.read(lambda connection: connection.scalar(query)))

    async def register(
        self, name: str, password: str, nickname: str, user_agent: str = ""
    ) -> Login:
        """Store a user with checked names and password, and start a session in the same commit.

        Args:
            user_agent: the browser's own description, shown in the list of sessions.

        Raises:
            NameTaken: another user has the name, or one that looks like it.
        """
        row = users.insert().values(
            name=name,
            name_key=names.canonical_key(name),
            name_skeleton=names.skeleton(name),
            nickname=nickname,
            password=await self._passwords.hash(password),
            created_at=self._clock(),
        )

        def create(connection: sa.Connection) -> Login:
            user = User(insert_returning_id(connection, row), nickname, None, name, "", "")
            return Login(user, *self._sessions.create(connection, user, user_agent))

        try:
            return await self._database.write(create)
        except sa.exc.IntegrityError as error:
            raise NameTaken(name) from error

    async def log_in(self, name: str, password: str, user_agent: str) -> Login | None:
        """Start a session for the user with this name and password.

        Returns:
            None for a wrong password, an unknown name, or an account that is disabled or deleted:
            all take the same time.
        """

        def start(connection: sa.Connection, user: User) -> Login:
            return Login(user, *self._sessions.create(connection, user, user_agent))

        def after_commit(login: Login) -> None:
            if login.evicted_sessions:
                self._sessions.disconnect(login.user, login.evicted_sessions)

        condition = users.c.name_key == names.canonical_key(name)
        return await self._with_password(condition, password, start, after_commit)

    async def change_password(self, session: Session, old: str, new: str) -> bool:
        """Store a new password, already checked, and end all other sessions in the same commit.

        Returns:
            False when the old password is wrong.

        Raises:
            SessionEnded: the session or the account has ended.
        """
        fresh = await self._passwords.hash(new)

        def change(connection: sa.Connection, user: User) -> list[int]:
            self._sessions.require_valid(connection, session)
            _update(connection, user, password=fresh)
            return self._sessions.revoke_all(connection, user, keep=session.id)

        ended = await self._with_password(
            users.c.id == session.user.id,
            old,
            change,
            lambda ended: self._sessions.disconnect(session.user, ended),
        )
        return ended is not None

    async def change_profile(self, session: Session, **values: str) -> None:
        """Store a new nickname, language or theme, already checked.

        Raises:
            SessionEnded: the session or the account has ended.
        """

        def change(connection: sa.Connection) -> None:
            self._require_valid(connection, session)
            _update(connection, session.user, **values)

        await self._database.write(change)

    async def change_picture(self, session: Session, webp: bytes | None) -> str | None:
        """Store a picture (see `avatars.make_avatar`) or remove it, and return its new name.

        Raises:
            SessionEnded: the session or the account has ended.
        """
        name = secrets.token_hex(16) if webp else None
        user = session.user

        def change(connection: sa.Connection) -> None:
            self._require_valid(connection, session)
            connection.execute(pictures.delete().where(pictures.c.user_id == user.id))
            if webp:
                row = pictures.insert().values(name=name, user_id=user.id, webp=webp)
                connection.execute(row)
            _update(connection, user, picture=name)

        await self._database.write(change)
        return name

    async def get_picture(self, name: str) -> bytes | None:
        """Return a picture as WebP, or None when there is none of this name."""
        query = sa.select(pictures.c.webp).where(pictures.c.name == name)
        return await self._database.read(lambda connection: connection.scalar(query))

    async def delete(
        self, session: Session, password: str, after_commit: Callable[[list[Event]], None]
    ) -> bool:
        """Delete an account and its sessions; its messages stay, with `DELETED_NICKNAME`.

        Args:
            after_commit: called on the loop with the events for the members of its groups.

        Returns:
            False when the password is wrong.

        Raises:
            SessionEnded: the session or the account has ended.
        """
        at = self._clock()

        def change(connection: sa.Connection, user: User) -> tuple[list[int], list[Event]]:
            self._sessions.require_valid(connection, session)
            events = _delete_account(connection, user, at)
            return self._sessions.revoke_all(connection, user), events

        def notify(result: tuple[list[int], list[Event]]) -> None:
            ended, events = result
            after_commit(events)
            self._sessions.disconnect(session.user, ended)

        mine = users.c.id == session.user.id
        return await self._with_password(mine, password, change, notify) is not None

    async def _with_password(
        self,
        condition: sa.ColumnElement[bool],
        password: str,
        action: Callable[[sa.Connection, User], T],
        after_commit: Callable[[T], None] | None = None,
    ) -> T | None:
        """Verify a password, then run an action in a transaction that sees the account unchanged.

        If the hash has changed meanwhile, by a new password or a rehash at another login, the
        password is compared with the new hash.

        Args:
            condition: finds the user.
            action: called in the transaction; its result is not None.
            after_commit: called on the loop with the result of the action.

        Returns:
            None when the password is wrong.
        """
        for _ in range(MAX_VERIFICATIONS):
            verified = await self._authenticate(condition, password)
            if verified is None:
                return None
            change = functools.partial(_run_if_unchanged, action=action, verified=verified)
            with contextlib.suppress(_AccountChanged):
                return await self._database.write(change, after_commit)
        return None

    async def _authenticate(
        self, condition: sa.ColumnElement[bool], password: str
    ) -> _VerifiedUser | None:
        """Compare a password with the stored hash; it takes the same time if there is no user."""
        query = sa.select(*USER_COLUMNS, users.c.password).where(condition, IS_ACTIVE)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        stored = row.password if row else None
        if not await self._passwords.verify(stored, password) or row is None:
            return None
        weak = self._passwords.needs_rehash(row.password)
        renewed = await self._passwords.hash(password) if weak else None
        return _VerifiedUser(User(*row[:-1]), row.password, renewed)

    def _require_valid(self, connection: sa.Connection, session: Session) -> None:
        """Lock the user and the session until the commit.

        Raises:
            SessionEnded: one of them has ended.
        """
        if not lock_active_users(connection, session.user.id, change=True):
            raise SessionEnded
        self._sessions.require_valid(connection, session)


def _run_if_unchanged(
    connection: sa.Connection,
    *,
    action: Callable[[sa.Connection, User], T],
    verified: _VerifiedUser,
) -> T:
    """Run an action for a user whose password was verified.

    Raises:
        _AccountChanged: the stored hash is another one by now, or the account is not in use.
    """
    user = verified.user
    query = sa.select(users.c.password).where(users.c.id == user.id)
    active = lock_active_users(connection, user.id, change=True)
    if not active or connection.scalar(query) != verified.stored_hash:
        raise _AccountChanged
    if verified.new_hash is not None:
        _update(connection, user, password=verified.new_hash)
    return action(connection, user)


def _update(connection: sa.Connection, user: User, **values: str | None) -> None:
    connection.execute(users.update().where(users.c.id == user.id).values(**values))


def _delete_account(connection: sa.Connection, user: User, at: int) -> list[Event]:
    """Clear the row of a user and end all memberships; return the events for their groups."""
    values = {
        "name": f"deleted-{user.id}",
        "name_key": f"deleted user {user.id}",  # no name has a blank, so nobody has this one
        "name_skeleton": None,
        "nickname": DELETED_NICKNAME,
        "password": "",
        "picture": None,
        "deleted_at": at,
    }
    theirs = sa.select(members.c.conversation_id).where(members.c.user_id == user.id)
    private = (conversations.c.kind == "private") & conversations.c.id.in_(theirs)
    groups = theirs.join(conversations).where(conversations.c.kind == "group")
    membership.lock_conversations(connection, connection.scalars(theirs).all())
    connection.execute(users.update().where(users.c.id == user.id).values(**values))
    connection.execute(conversations.update().where(private).values(pair=None))
    for table in pictures, contacts:
        connection.execute(table.delete().where(table.c.user_id == user.id))
    connection.execute(contacts.delete().where(contacts.c.other_id == user.id))
    nobody = PublicUser(user.id, DELETED_NICKNAME, None)
    events = [
        event
        for conv in connection.scalars(groups).all()
        for event in membership.remove_member(connection, conv, nobody, at)
    ]
    invitations.end_all_of_user(connection, user.id)  # and the departures of `remove_member`
    return events
