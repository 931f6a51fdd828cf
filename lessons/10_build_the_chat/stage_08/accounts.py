"""Accounts and sessions. The functions with a connection run in the thread of the database."""

import hashlib
import re
import secrets
import sqlite3
import time
from typing import Any

import argon2

# OWASP, Password Storage Cheat Sheet: argon2id with 19 MiB of memory and 2 iterations.
HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{2,29}")
MAX_NICKNAME = 30  # characters
MIN_PASSWORD, MAX_PASSWORD = 8, 128  # characters (NIST SP 800-63B)
SESSION_LIFETIME = 30 * 24 * 3600  # seconds
LOBBY = 1  # the id of the group in which all users are members


class FormError(Exception):
    """A form cannot be accepted; the message is for the person who filled it in."""


def check_name(connection: sqlite3.Connection, name: str) -> str:
    """Return what is wrong with a user name, or an empty text."""
    if not NAME.fullmatch(name.lower()):
        return "A name has 3 to 30 letters from a to z, digits, or one of . _ -"
    if connection.execute("SELECT 1 FROM users WHERE name = ?", (name.lower(),)).fetchone():
        return "This name is taken."
    return ""


def check_registration(nickname: str, password: str, confirmation: str) -> None:
    """Raise FormError unless the nickname and the password can be used."""
    # Control characters and marks that change the direction of a text are not printable.
    if not (0 < len(nickname) <= MAX_NICKNAME and nickname.isprintable()):
        raise FormError(f"A nickname has 1 to {MAX_NICKNAME} visible characters.")
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise FormError(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
    if password != confirmation:
        raise FormError("The two passwords are different.")


def create_user(connection: sqlite3.Connection, name: str, nickname: str, hashed: str) -> int:
    """Store a user and return the id; raises FormError if the name cannot be used."""
    if problem := check_name(connection, name):
        raise FormError(problem)
    row = (name.lower(), nickname, hashed)
    sql = "INSERT INTO users (name, nickname, password_hash) VALUES (?, ?, ?)"
    user = connection.execute(sql, row).lastrowid or 0
    connection.execute("INSERT INTO members (conv, user) VALUES (?, ?)", (LOBBY, user))
    return user


def find_password(connection: sqlite3.Connection, name: str) -> tuple[int, str] | None:
    """Return the id and the password hash of a user, or None."""
    sql = "SELECT id, password_hash FROM users WHERE name = ?"
    row = connection.execute(sql, (name.lower(),)).fetchone()
    return (row["id"], row["password_hash"]) if row else None


def is_password(hashed: str, password: str) -> bool:
    """Whether the hash is one of this password. It takes some 20 ms on purpose."""
    try:
        return HASHER.verify(hashed, password)
    except argon2.exceptions.VerificationError:
        return False


def start_session(connection: sqlite3.Connection, user: int) -> str:
    """Store a session and return its token, which only the browser keeps."""
    token = secrets.token_urlsafe(32)
    row = (hash_token(token), user, int(time.time()) + SESSION_LIFETIME)
    connection.execute("INSERT INTO sessions VALUES (?, ?, ?)", row)
    return token


def end_session(connection: sqlite3.Connection, session: str) -> None:
    """Delete a session; its token is worth nothing from now on."""
    connection.execute("DELETE FROM sessions WHERE token_hash = ?", (session,))


def find_user(connection: sqlite3.Connection, session: str) -> dict[str, Any] | None:
    """Return the user of a session, or None if it has ended."""
    row = connection.execute(
        "SELECT id, nickname, picture, name FROM users JOIN sessions ON user = id"
        " WHERE token_hash = ? AND expires > ?",
        (session, time.time()),
    ).fetchone()
    return dict(row) if row else None


def hash_token(token: str) -> str:
    """Return what the database keeps of a token: a copy of the file opens no session."""
    return hashlib.sha256(token.encode()).hexdigest()
