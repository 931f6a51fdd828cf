"""One-time links with which users set a new password; the operator makes them.

The database stores nothing about a link. Its token is signed with HMAC-SHA-256 over the user's id,
the time of expiry and the stored hash of the password. A new password has a new hash (with a new
salt), so the first use of a link, or any other change of the password, ends all links of this user
(OWASP Forgot Password Cheat Sheet). The key is derived from the secret of the chat, so a copy of
the database alone is not enough to make a link.
"""

import hashlib
import hmac
import re

import sqlalchemy as sa

from capstone_chat.accounts.accounts import Login
from capstone_chat.accounts.passwords import Passwords
from capstone_chat.accounts.sessions import Sessions
from capstone_chat.conversations.users import IS_ACTIVE, USER_COLUMNS, User, lock_active_users
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.tables import users

LIFETIME_MS = 24 * 3600 * 1000
"""Milliseconds for which a link is valid: the operator sends it by hand."""

TOKEN = re.compile(r"([0-9]{1,15})-([0-9]{1,15})-([0-9a-f]{64})")


def make_token(secret: str, user_id: int, stored_hash: str, expires_at: int) -> str:
    """Return the token of a link.

    Args:
        secret: the secret of the chat.
        user_id: the user.
        stored_hash: the stored hash of the user's password.
        expires_at: milliseconds since 1970.
    """
    key = hmac.digest(secret.encode(), b"password resets", hashlib.sha256)
    signed = f"{user_id}-{expires_at}-{stored_hash}".encode()
    return f"{user_id}-{expires_at}-{hmac.digest(key, signed, hashlib.sha256).hex()}"


class PasswordResets:
    """Service that sets a new password for the holder of a link.

    Args:
        database: the database.
        passwords: hashes passwords.
        sessions: creates and revokes sessions.
        secret: the secret of the chat.
    """

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        sessions: Sessions,
        secret: str,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._sessions = sessions
        self._secret = secret

    async def find_user(self, token: str) -> User | None:
        """Return the user of a valid token.

        Returns:
            None if the token is wrong, used or expired, or if the user is disabled or deleted.
        """
        return await self._database.read(lambda connection: self._find(connection, token))

    async def set_password(self, token: str, password: str, user_agent: str) -> Login | None:
        """Store a new, checked password, end all sessions of the user and start a new one.

        Returns:
            None if the token is not valid, see `find_user`. Nothing is changed then.
        """
        hashed = await self._passwords.hash(password)

        def change(connection: sa.Connection) -> Login | None:
            lock_active_users(connection, _user_id(token), change=True)
            user = self._find(connection, token)
            if user is None:
                return None
            connection.execute(users.update().where(users.c.id == user.id).values(password=hashed))
            ended = self._sessions.revoke_all(connection, user)
            return Login(user, self._sessions.create(connection, user, user_agent)[0], ended)

        def disconnect(login: Login | None) -> None:
            if login is not None:
                self._sessions.disconnect(login.user, login.evicted_sessions)

        return await self._database.write(change, disconnect)

    def _find(self, connection: sa.Connection, token: str) -> User | None:
        match = TOKEN.fullmatch(token)
        if match is None or int(match[2]) <= now_ms():
            return None
        query = sa.select(*USER_COLUMNS, users.c.password)
        row = connection.execute(query.where(users.c.id == int(match[1]), IS_ACTIVE)).one_or_none()
        if row is None:
            return None
        valid = make_token(self._secret, row.id, row.password, int(match[2]))
        return User(*row[:-1]) if hmac.compare_digest(valid, token) else None


def _user_id(token: str) -> int:
    match = TOKEN.fullmatch(token)
    return int(match[1]) if match else 0
