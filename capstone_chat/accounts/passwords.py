"""Passwords: validation of new ones, hashing and verification.

Sources: NIST SP 800-63B section 5.1.1 (a minimum length, no composition rules, common passwords
refused), OWASP Password Storage Cheat Sheet (argon2id with these parameters).
`common_passwords.txt` holds the entries of zxcvbn's frequency list (MIT licence) that have 8
characters or more.
"""

import asyncio
import functools
import unicodedata
from concurrent.futures import Executor
from pathlib import Path

import argon2

MIN_LENGTH = 8
MAX_LENGTH = 128

DIFFERENT = "The two passwords are not the same."
"""Answer to a form whose two fields for the new password differ."""

_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@functools.cache
def _common_passwords() -> frozenset[str]:
    path = Path(__file__).parent / "common_passwords.txt"
    return frozenset(path.read_text(encoding="utf-8").split())


@functools.cache
def _dummy_hash() -> str:
    """Return a hash to verify for unknown users, so that their logins take the same time."""
    return _hasher.hash("nobody has this password")


def find_problem(password: str, *personal_words: str) -> str | None:
    """Return the reason why a password is not accepted, or None.

    Args:
        password: the password as typed.
        personal_words: public words about the user (user name, nickname).
    """
    password = _normalize(password)
    # Surrogates cannot be hashed. Tornado replaces control characters in fields of a form, so a
    # password with one could be set in JSON, but not be used in the login form.
    if any(unicodedata.category(character) in ("Cs", "Cc") for character in password):
        return "It has characters that are not allowed."
    if len(password) < MIN_LENGTH:
        return f"Use {MIN_LENGTH} characters or more."
    if len(password) > MAX_LENGTH:
        return f"Use {MAX_LENGTH} characters or fewer."
    plain = password.casefold()
    if plain in _common_passwords() or len(set(plain)) < 3:
        return "Too many people use this password. Choose another one."
    if any(plain == word.casefold() for word in personal_words):
        return "Your password must not be your user name or nickname."
    return None


class Passwords:
    """Hashes and verifies passwords in a pool: each takes 19 MiB and about 25 ms of one core.

    Args:
        pool: the executor. Its number of threads bounds the memory; further operations wait.
    """

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        pool.submit(_dummy_hash)  # otherwise the first unknown user takes twice the time

    async def hash(self, password: str) -> str:
        """Return the argon2id hash of a password, with its salt and parameters."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _hasher.hash, _normalize(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Return whether a password has the hash `stored`.

        For `stored=None`, an unknown user, the method takes the same time and returns False.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _verify, stored, _normalize(password))

    def needs_rehash(self, stored: str) -> bool:
        """Return whether a hash was made with weaker parameters than the current ones."""
        return _hasher.check_needs_rehash(stored)


def _verify(stored: str | None, password: str) -> bool:
    try:
        _hasher.verify(stored or _dummy_hash(), password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    except UnicodeEncodeError:  # a lone surrogate cannot be encoded
        return False
    return stored is not None


def _normalize(password: str) -> str:
    """Return a password in NFKC, which is equal on all keyboards (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
