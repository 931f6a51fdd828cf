"""Accounts: registration, login, and changes of the account.

Hashing a password and decoding a picture take time, and so does the queue before them. The
password, the account or the session may change during such a wait, so the transaction that relies
on one of them checks it again.
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
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.sql import insert_returning_id
from capstone_chat.storage.tables import contacts, conversations, members, pictures, users
from capstone_chat.text import names

T = TypeVar("T")

MAX_VERIFICATIONS = 5
"""Maximum number of verifications of a password whose stored hash changes in the meantime."""

DELETED_NICKNAME = "deleted user"
"""The nickname of all deleted users."""


class NameTaken(Exception):
    """Another user has this user name, or a name that looks like it."""


class _AccountChanged(Exception):
    """The account or its password has changed since the password was verified."""


@dataclass(frozen=True, slots=True)
class Login:
    """A new session."""

    user: User
    token: str
    """The secret id of the session, for the cookie."""
    evicted_sessions: list[int]
    """Ids of sessions that were deleted because the user had too many."""


@dataclass(frozen=True, slots=True)
class _VerifiedUser:
    """A user whose password has been verified."""

    user: User
    stored_hash: str
    """The hash that the password was compared with."""
    new_hash: str | None
    """A hash with the current parameters, if those of the stored hash are weaker."""


class Accounts:
    """Service that registers users, checks logins, and changes accounts.

    Args:
        database: the database.
        hub: publishes the events of a deletion to the members of the user's groups.
        passwords: hashes and verifies passwords.
        sessions: creates and revokes sessions.
    """

    def __init__(
        self, database: Database, hub: Hub, passwords: Passwords, sessions: Sessions
    ) -> None:
        self._database = database
        self._hub = hub
        self._passwords = passwords
        self._sessions = sessions

    async def is_taken(self, name: str) -> bool:
        """Return whether a user has this name, one that differs only in case, or a similar one.

        Similar names look alike, see `names.skeleton`.

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
        """Create a user and a session in the same commit. The caller has checked all values.

        Args:
            name: the user name.
            password: the password as typed.
            nickname: the nickname.
            user_agent: the browser's User-Agent header, shown in the list of sessions.

        Raises:
            NameTaken: another user has the name, or a name that looks like it.
        """
        row = users.insert().values(
            name=name,
            name_key=names.canonical_key(name),
            name_skeleton=names.skeleton(name),
            nickname=nickname,
            password=await self._passwords.hash(password),
            created_at=now_ms(),
        )

        def create(connection: sa.Connection) -> Login:
            user = User(insert_returning_id(connection, row), nickname, None, name, "", "")
            return Login(user, *self._sessions.create(connection, user, user_agent))

        try:
            return await self._database.write(create)
        except sa.exc.IntegrityError as error:
            raise NameTaken(name) from error

    async def log_in(self, name: str, password: str, user_agent: str) -> Login | None:
        """Create a session for the user with this name and password.

        Returns:
            None for a wrong password, an unknown name, or an account that is disabled or deleted.
            All these cases take the same time, so the time does not reveal whether a user exists.
        """

        def start(connection: sa.Connection, user: User) -> Login:
            return Login(user, *self._sessions.create(connection, user, user_agent))

        def after_commit(login: Login) -> None:
            self._sessions.disconnect(login.user, login.evicted_sessions)

        condition = users.c.name_key == names.canonical_key(name)
        return await self._with_password(condition, password, start, after_commit)

    async def change_password(self, session: Session, old: str, new: str) -> bool:
        """Store a new, checked password and revoke all other sessions in the same commit.

        Returns:
            False if the old password is wrong.

        Raises:
            SessionEnded: the session or the account has ended.
        """
        hashed = await self._passwords.hash(new)

        def change(connection: sa.Connection, user: User) -> list[int]:
            self._sessions.require_valid(connection, session)
            _update(connection, user, password=hashed)
            return self._sessions.revoke_all(connection, user, keep=session.id)

        ended = await self._with_password(
            users.c.id == session.user.id,
            old,
            change,
            lambda ended: self._sessions.disconnect(session.user, ended),
        )
        return ended is not None

    async def change_profile(self, session: Session, **values: str) -> None:
        """Store a new, checked nickname, language or theme.

        Raises:
            SessionEnded: the session or the account has ended.
        """

        def change(connection: sa.Connection) -> None:
            self._require_valid(connection, session)
            _update(connection, session.user, **values)

        await self._database.write(change)

    async def change_picture(self, session: Session, webp: bytes | None) -> str | None:
        """Store a picture made by `avatars.make_avatar`, or remove it; return its new name.

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
        """Return the picture of this name as WebP, or None."""
        query = sa.select(pictures.c.webp).where(pictures.c.name == name)
        return await self._database.read(lambda connection: connection.scalar(query))

    async def delete(self, session: Session, password: str) -> bool:
        """Delete an account and its sessions; its messages stay, by `DELETED_NICKNAME`.

        Returns:
            False if the password is wrong.

        Raises:
            SessionEnded: the session or the account has ended.
        """
        at = now_ms()

        def change(connection: sa.Connection, user: User) -> tuple[list[int], list[Event]]:
            self._sessions.require_valid(connection, session)
            events = _delete_account(connection, user, at)
            return self._sessions.revoke_all(connection, user), events

        def notify(result: tuple[list[int], list[Event]]) -> None:
            ended, events = result
            membership.publish_events(self._hub, events)
            self._sessions.disconnect(session.user, ended)

        is_user = users.c.id == session.user.id
        return await self._with_password(is_user, password, change, notify) is not None

    async def _with_password(
        self,
        condition: sa.ColumnElement[bool],
        password: str,
        action: Callable[[sa.Connection, User], T],
        after_commit: Callable[[T], None],
    ) -> T | None:
        """Verify a password, then run an action in a transaction that finds the account unchanged.

        If the hash has changed in the meantime, by a new password or a rehash at another login, the
        password is compared with the new hash.

        Args:
            condition: the condition that finds the user.
            password: the password to verify.
            action: called in the transaction; its result is not None.
            after_commit: called on the event loop with the result of the action.

        Returns:
            The result of the action, or None if the password is wrong.
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
        """Compare a password with the stored hash; takes the same time for an unknown user."""
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
            SessionEnded: the account is not in use, or the session has ended.
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
    """Run an action for a user whose password has been verified.

    Raises:
        _AccountChanged: the stored hash has changed, or the account is not in use.
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
        "name_key": f"deleted user {user.id}",  # unique: user names have no spaces
        "name_skeleton": None,
        "nickname": DELETED_NICKNAME,
        "password": "",
        "picture": None,
        "deleted_at": at,
    }
    user_conversations = sa.select(members.c.conversation_id).where(members.c.user_id == user.id)
    private = (conversations.c.kind == "private") & conversations.c.id.in_(user_conversations)
    groups = user_conversations.join(conversations).where(conversations.c.kind == "group")
    membership.lock_conversations(connection, connection.scalars(user_conversations).all())
    connection.execute(users.update().where(users.c.id == user.id).values(**values))
    connection.execute(conversations.update().where(private).values(pair=None))
    for table in pictures, contacts:
        connection.execute(table.delete().where(table.c.user_id == user.id))
    connection.execute(contacts.delete().where(contacts.c.other_id == user.id))
    deleted_user = PublicUser(user.id, DELETED_NICKNAME, None)
    events = [
        event
        for conv in connection.scalars(groups).all()
        for event in membership.remove_member(connection, conv, deleted_user, at)
    ]
    invitations.end_all_of_user(connection, user.id)  # also deletes departures of `remove_member`
    return events
