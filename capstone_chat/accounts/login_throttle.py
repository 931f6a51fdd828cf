"""Login throttle against online password guessing, with counts in the database for all processes.

Failures of attackers must not lock out a user. A delay therefore applies to the origin of the
failures: to a browser that was logged in to the account before (OWASP: Slow Down Online Guessing
Attacks with Device Cookies), or else to the account *at one network*. In a known browser, and in a
new browser at a network without failures for this account, the right password is accepted without
delay, whatever the number of failures elsewhere.

Each login of a new browser is counted under three keys:

- `account:NETWORK|NAME`: after 5 consecutive failures a delay grows from 1 second to 15 minutes.
  This allows at most 110 guesses a day at one account from one network.
- `address:NETWORK`, for all accounts together: after 20 failures the delay grows from 1 second to 1
  minute. It is short because several users share a network (a household, NAT): an attacker there
  delays new browsers by at most a minute, and each further minute costs a solved captcha.
- `everywhere:NAME`: causes no delay itself. From 100 failures on (the limit of NIST SP 800-63B
  section 5.2.2 for consecutive failures) the account counts as under attack: then the first failure
  at a network causes a delay of 30 seconds, which grows to 1 hour. This allows at most 31 guesses a
  day from one network. There is no limit for all networks together, because it would lock out the
  user; every guess costs a captcha, which is valid once.

A network is an IPv4 address, or the first 64 bits of an IPv6 address.

A count is deleted after a day without a failure. The time of a failure can be in the future after
the clock was set back; it counts as now, so that no delay exceeds its maximum.
"""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.tables import login_failures

SECOND_MS = 1000
"""Milliseconds of a second."""

MINUTE_MS = 60 * SECOND_MS
"""Milliseconds of a minute."""

FORGET_AFTER_MS = 24 * 60 * MINUTE_MS
"""Milliseconds without a failure after which a count is deleted."""

MAX_CONSECUTIVE_FAILURES = 100
"""Number of failures from all networks from which on an account is under attack (NIST 800-63B)."""


@dataclass(frozen=True, slots=True)
class Delay:
    """The delay of a login after consecutive failures."""

    free_attempts: int
    """Number of failures without a delay."""
    first_ms: int
    """The first delay in milliseconds; each further failure doubles it."""
    max_ms: int
    """The maximum delay in milliseconds."""

    def after(self, failed: int) -> int:
        """Return the milliseconds between the last failure and the next attempt."""
        beyond = failed - self.free_attempts
        return min(self.max_ms, self.first_ms << min(beyond, 20)) if beyond >= 0 else 0


ACCOUNT_DELAY = Delay(free_attempts=5, first_ms=SECOND_MS, max_ms=15 * MINUTE_MS)
"""Delay for an account in a known browser or an open session, or at one network."""

UNDER_ATTACK_DELAY = Delay(free_attempts=1, first_ms=30 * SECOND_MS, max_ms=60 * MINUTE_MS)
"""Delay for an account at one network while the account is under attack."""

ADDRESS_DELAY = Delay(free_attempts=20, first_ms=SECOND_MS, max_ms=MINUTE_MS)
"""Delay for all accounts at one network."""


def known_browser_keys(account: str, browser: str) -> list[str]:
    """Return the keys of an attempt in a browser or session that used the account before."""
    return [f"account:{browser}|{account}"]


def new_browser_keys(account: str, network: str) -> list[str]:
    """Return the keys of an attempt in any other browser."""
    return [f"account:{network}|{account}", f"address:{network}", f"everywhere:{account}"]


class LoginThrottle:
    """Counts failed logins and computes the delay of the next attempt.

    Args:
        database: the database.
        clock: function that returns milliseconds since 1970.
    """

    def __init__(self, database: Database, *, clock: Callable[[], int] = now_ms) -> None:
        self._database = database
        self._clock = clock

    async def has_failures(self, *keys: str) -> bool:
        """Return whether a failure is counted under one of the keys."""
        recent = login_failures.c.at >= self._clock() - FORGET_AFTER_MS
        query = sa.select(login_failures.c.key).where(login_failures.c.key.in_(keys), recent)
        return await self._database.read(lambda connection: connection.scalar(query)) is not None

    async def reserve_attempt(self, *keys: str) -> int:
        """Count an attempt as a failure, or return the milliseconds for which it must wait.

        0 allows the attempt. It counts as a failure until `record_success`, so concurrent attempts
        cannot exceed the limit.

        Args:
            keys: the keys of the attempt, see `known_browser_keys` and `new_browser_keys`.
        """
        at = self._clock()
        has_key = login_failures.c.key.in_(keys)
        query = sa.select(login_failures).where(has_key).order_by(login_failures.c.key)
        query = query.with_for_update()  # another process waits here and then reads this count

        def count(connection: sa.Connection) -> int:
            is_old, is_future = login_failures.c.at < at - FORGET_AFTER_MS, login_failures.c.at > at
            connection.execute(login_failures.delete().where(has_key, is_old))
            connection.execute(login_failures.update().where(has_key, is_future).values(at=at))
            rows = connection.execute(query).all()
            failed = {row.key: row.failed for row in rows}
            wait = max((row.at + _delay(row.key, failed) - at for row in rows), default=0)
            if wait > 0:
                return wait
            for key in sorted(keys):
                is_key = login_failures.c.key == key
                increment = (
                    login_failures.update()
                    .where(is_key)
                    .values(failed=login_failures.c.failed + 1, at=at)
                )
                if connection.execute(increment).rowcount == 0:
                    connection.execute(login_failures.insert().values(key=key, failed=1, at=at))
            return 0

        return await self._database.write(count)

    async def record_success(self, *keys: str) -> None:
        """Delete the failures of an account in this browser or at this network.

        Other counts are reduced by this attempt only. Otherwise the owner of one account could
        reset the limits between guesses at other accounts.
        """
        has_key = login_failures.c.key.in_(keys)
        account = login_failures.c.key.startswith("account:")
        decrement = login_failures.update().where(has_key, login_failures.c.failed > 0)

        def forgive(connection: sa.Connection) -> None:
            connection.execute(login_failures.delete().where(has_key, account))
            connection.execute(decrement.values(failed=login_failures.c.failed - 1))

        await self._database.write(forgive)


def _delay(key: str, failed: dict[str, int]) -> int:
    """Return the delay that a key of an attempt requires, in milliseconds.

    Args:
        key: one of the keys.
        failed: the number of consecutive failures of each key.
    """
    kind = key.partition(":")[0]
    if kind == "everywhere":
        return 0
    if kind == "address":
        return ADDRESS_DELAY.after(failed[key])
    pressure = max((n for other, n in failed.items() if other.startswith("everywhere:")), default=0)
    delay = UNDER_ATTACK_DELAY if pressure >= MAX_CONSECUTIVE_FAILURES else ACCOUNT_DELAY
    return delay.after(failed[key])
