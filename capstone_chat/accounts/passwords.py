"""Passwords: what a good one is, and how it is kept.

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

SHORTEST = 8
LONGEST = 128

_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@functools.cache
def _common() -> frozenset[str]:
    path = Path(__file__).parent / "common_passwords.txt"
    return frozenset(path.read_text(encoding="utf-8").split())


@functools.cache
def _nobody() -> str:
    """A hash that no password has: checked when there is no user, so that it takes as long."""
    return _hasher.hash("nobody has this password")


def problem(password: str, *known: str) -> str | None:
    """Return why a password is not good enough, or None.

    Args:
        password: as typed.
        known: what a stranger knows of the user (the user name, the nickname).
    """
    password = _normal(password)
    # Surrogates cannot be hashed. Tornado replaces control characters in the fields of a form, so
    # a password with one, set as JSON, could not be used to log in.
    if any(unicodedata.category(character) in ("Cs", "Cc") for character in password):
        return "There are characters in it that are not text."
    if len(password) < SHORTEST:
        return f"Use {SHORTEST} characters or more."
    if len(password) > LONGEST:
        return f"Use {LONGEST} characters or fewer."
    plain = password.casefold()
    if plain in _common() or len(set(plain)) < 3:
        return "Too many people use this password. Choose another one."
    if any(plain == word.casefold() for word in known):
        return "Your password must not be your name."
    return None


class Passwords:
    """Hashes and checks passwords in a bounded pool: each takes 19 MiB and some 25 ms of one core.

    Args:
        pool: its number of threads bounds the memory; those who come later wait their turn.
    """

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        pool.submit(_nobody)  # or the first unknown user would take twice as long

    async def hash(self, password: str) -> str:
        """Return the argon2id hash of a password, with its salt and parameters."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _hasher.hash, _normal(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether `password` is the one that was stored; None takes as long and is False."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _verify, stored, _normal(password))

    def needs_rehash(self, stored: str) -> bool:
        """Tell whether a hash was made with weaker parameters than today's."""
        return _hasher.check_needs_rehash(stored)


def _verify(stored: str | None, password: str) -> bool:
    try:
        _hasher.verify(stored or _nobody(), password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return stored is not None


def _normal(password: str) -> str:
    """The same keys give the same password on every keyboard (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
