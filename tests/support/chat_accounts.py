"""Users, sessions and captcha answers in the database of a running chat.

Tests of something else need users who are logged in. They save the forms, and the 25 ms for the
hash of a password.
"""

import hashlib
import secrets
from pathlib import Path

import sqlalchemy as sa
import tornado.web

from capstone_chat.handlers.cookies import cookie_name
from capstone_chat.storage.database import now_ms
from capstone_chat.storage.tables import captchas, sessions, users


def add_user(engine: sa.Engine, name: str, nickname: str, password_hash: str = "") -> int:
    """Insert a user and return the id. With an empty hash, every password is wrong."""
    row = {"name": name, "name_key": name, "nickname": nickname, "password": password_hash}
    with engine.begin() as connection:
        made = connection.execute(users.insert().values(**row, created_at=now_ms()))
        assert made.inserted_primary_key is not None
        return int(made.inserted_primary_key[0])


def add_session(engine: sa.Engine, user_id: int) -> str:
    """Insert a session of a user and return its secret id, for `ChatAccounts.cookie`."""
    token, at = secrets.token_urlsafe(32), now_ms()
    row = {"token_hash": hashlib.sha256(token.encode()).hexdigest(), "agent": "a test"}
    with engine.begin() as connection:
        connection.execute(
            sessions.insert().values(**row, user_id=user_id, created_at=at, seen_at=at)
        )
    return token


def captcha_answer(engine: sa.Engine, captcha_id: str) -> str:
    """Return the answer of a captcha. Only the database has it."""
    query = sa.select(captchas.c.answer).where(captchas.c.id == captcha_id)
    with engine.connect() as connection:
        return str(connection.execute(query).scalar_one())


class ChatAccounts:
    """The accounts of a chat that runs without TLS.

    Args:
        engine: the database of the chat.
        secret: the file with the secret that signs its cookies; it may not exist yet.
        password_hash: the password of new users, as it is stored.
    """

    def __init__(self, engine: sa.Engine, secret: Path, password_hash: str = "") -> None:
        self.engine = engine
        self._secret = secret
        self._password_hash = password_hash

    def add_user(self, name: str, nickname: str) -> str:
        """Insert a user and a session, and return the secret id of the session."""
        return add_session(self.engine, add_user(self.engine, name, nickname, self._password_hash))

    def log_in(self, name: str) -> str:
        """Insert a session of a user, and return its secret id."""
        with self.engine.connect() as connection:
            user_id = connection.scalar(sa.select(users.c.id).where(users.c.name == name))
        assert user_id is not None, f"no user {name}"
        return add_session(self.engine, user_id)

    def cookie(self, name: str, value: str) -> tuple[str, str]:
        """Return the full name and the signed value of a cookie, as the chat sets it."""
        secret = self._secret.read_text(encoding="utf-8").strip()
        full = cookie_name(name, secret, secure=False)
        return full, tornado.web.create_signed_value(secret, full, value).decode()

    def cookie_of_new_user(self, name: str, nickname: str) -> str:
        """Insert a user and a session, and return the value of the Cookie header."""
        return "=".join(self.cookie("session", self.add_user(name, nickname)))

    def captcha_answer(self, captcha_id: str) -> str:
        """Return the answer of a captcha."""
        return captcha_answer(self.engine, captcha_id)
