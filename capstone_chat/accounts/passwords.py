"""Passwords: which ones are accepted, and how they are stored.

Sources: NIST SP 800-63B section 5.1.1 (length over composition, common ones refused), OWASP
Password Storage Cheat Sheet (argon2id with these parameters). `common_passwords.txt` holds
the entries of zxcvbn's frequency list (MIT licence) that have 8 characters or more.
"""

import asyncio
import functools
import unicodedata
from concurrent.futures import Executor
from pathlib import Path

import argon2

MIN_LENGTH = 8
MAX_LENGTH = 128

_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@functools.cache
def _common_passwords() -> frozenset[str]:
    path = Path(__file__).parent / "common_passwords.txt"
    return frozenset(path.read_text(encoding="utf-8").split())


@functools.cache
def _dummy_hash() -> str:
    """Return a hash that is verified when there is no user, so that a login takes the same time."""
    return _hasher.hash("nobody has this password")


def find_problem(password: str, *personal_words: str) -> str | None:
    """Return why a password is not accepted, or None.

    Args:
        password: as typed.
        personal_words: words that a stranger knows of the user (user name, nickname).
    """
    password = _normalize(password)
    # Surrogates cannot be hashed. Tornado replaces control characters in the fields of a form, so
    # a password with one, set as JSON, could not be used to log in.
    if any(unicodedata.category(character) in ("Cs", "Cc") for character in password):
        return "There are characters in it that are not text."
    if len(password) < MIN_LENGTH:
        return f"Use {MIN_LENGTH} characters or more."
    if len(password) > MAX_LENGTH:
        return f"Use {MAX_LENGTH} characters or fewer."
    plain = password.casefold()
    if plain in _common_passwords() or len(set(plain)) < 3:
        return "Too many people use this password. Choose another one."
    if any(plain == word.casefold() for word in personal_words):
        return "Your password must not be your name."
    return None


class Passwords:
    """Hashes and checks passwords in a bounded pool: each takes 19 MiB and some 25 ms of one core.

    Args:
        pool: its number of threads bounds the memory; those who come later wait their turn.
    """

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        pool.submit(_dummy_hash)  # or the first unknown user would take twice as long

    async def hash(self, password: str) -> str:
        """Return the argon2id hash of a password, with its salt and parameters."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _hasher.hash, _normalize(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether `password` has the hash `stored`; None takes the same time and is False."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _verify, stored, _normalize(password))

    def needs_rehash(self, stored: str) -> bool:
        """Tell whether a hash was made with weaker parameters than the current ones."""
        return _hasher.check_needs_rehash(stored)


def _verify(stored: str | None, password: str) -> bool:
    try:
        _hasher.verify(stored or _dummy_hash(), password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return stored is not None


def _normalize(password: str) -> str:
    """The same keys give the same password on every keyboard (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
