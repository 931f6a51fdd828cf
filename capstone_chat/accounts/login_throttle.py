"""Throttling of online password guessing; the counts are in the database, for all processes.

No failure of somebody else keeps a user out. A wait therefore belongs to the one who failed: to a
browser that was logged in to the account before (OWASP: Slow Down Online Guessing Attacks with
Device Cookies), or else to the account *at one network*. The right password passes at once in a
known browser, and in a new browser at a network from which nobody has failed on this account,
however many strangers fail elsewhere, and for however long.

Each login of a new browser is counted three times:

- `account:NETWORK|NAME`: 5 failures in a row cost no wait, then it grows from 1 second to 15
  minutes. That is at most 110 guesses a day at one account from one network.
- `address:NETWORK`, for all accounts together: 20 failures, then from 1 second to 1 minute. The
  wait is short because others share the network (a household, NAT): a stranger there holds up new
  browsers by a minute at a time, and pays for each minute with a solved captcha.
- `everywhere:NAME`: never costs a wait. From 100 failures on (the limit of NIST SP 800-63B section
  5.2.2 for consecutive failures) the account counts as under attack: then a single failure at a
  network costs a wait of 30 seconds, which grows to 1 hour. That is at most 31 guesses a day from
  one network. A limit for all networks together would lock the user out, so there is none; every
  guess costs a captcha, which is valid once.

A network is an IPv4 address, or the first 64 bits of an IPv6 address.

A count is forgotten after a day without a failure. A failure with a time in the future, from before
the clock was set back, counts as now, so no wait is longer than its longest.
"""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.tables import login_failures

SECOND_MS = 1000
"""Milliseconds."""

MINUTE_MS = 60 * SECOND_MS
"""Milliseconds."""

FORGET_AFTER_MS = 24 * 60 * MINUTE_MS
"""Milliseconds without a failure after which a count begins anew."""

MAX_CONSECUTIVE_FAILURES = 100
"""Failures at an account, from all networks, from which on it is under attack (NIST 800-63B)."""


@dataclass(frozen=True, slots=True)
class Delay:
    """How long to wait after failures in a row."""

    free_attempts: int
    """Failures that cost no wait."""
    first_ms: int
    """Milliseconds of the first wait; each further failure doubles it."""
    max_ms: int
    """Milliseconds of the longest wait."""

    def after(self, failed: int) -> int:
        """Return the milliseconds from the last failure to the next attempt."""
        beyond = failed - self.free_attempts
        return min(self.max_ms, self.first_ms << min(beyond, 20)) if beyond >= 0 else 0


ACCOUNT_DELAY = Delay(free_attempts=5, first_ms=SECOND_MS, max_ms=15 * MINUTE_MS)
"""For an account in a known browser or an open session, or at one network."""

UNDER_ATTACK_DELAY = Delay(free_attempts=1, first_ms=30 * SECOND_MS, max_ms=60 * MINUTE_MS)
"""For an account at one network, while it is under attack."""

ADDRESS_DELAY = Delay(free_attempts=20, first_ms=SECOND_MS, max_ms=MINUTE_MS)
"""For all accounts at one network."""


def known_browser_keys(account: str, browser: str) -> list[str]:
    """Return the keys of an attempt in a browser or session that the account was used in before."""
    return [f"account:{browser}|{account}"]


def new_browser_keys(account: str, network: str) -> list[str]:
    """Return the keys of an attempt in any other browser."""
    return [f"account:{network}|{account}", f"address:{network}", f"everywhere:{account}"]


class LoginThrottle:
    """Counts failures and says how long to wait.

    Args:
        clock: milliseconds since 1970.
    """

    def __init__(self, database: Database, *, clock: Callable[[], int] = now_ms) -> None:
        self._database = database
        self._clock = clock

    async def reserve_attempt(self, *keys: str) -> int:
        """Count an attempt as failed, or return the milliseconds that it still has to wait.

        At 0 the attempt may be made. It counts as failed until `record_success`, so of many
        attempts at once no more pass than one after the other.

        Args:
            keys: the keys of the attempt, see `known_browser_keys` and `new_browser_keys`.
        """
        at = self._clock()
        mine = login_failures.c.key.in_(keys)
        query = sa.select(login_failures).where(mine).order_by(login_failures.c.key)
        query = query.with_for_update()  # another process waits here, and then sees this count

        def count(connection: sa.Connection) -> int:
            old, ahead = login_failures.c.at < at - FORGET_AFTER_MS, login_failures.c.at > at
            connection.execute(login_failures.delete().where(mine, old))
            connection.execute(login_failures.update().where(mine, ahead).values(at=at))
            rows = connection.execute(query).all()
            failed = {row.key: row.failed for row in rows}
            wait = max((row.at + _delay(row.key, failed) - at for row in rows), default=0)
            if wait > 0:
                return wait
            for key in sorted(keys):
                here = login_failures.c.key == key
                more = (
                    login_failures.update()
                    .where(here)
                    .values(failed=login_failures.c.failed + 1, at=at)
                )
                if connection.execute(more).rowcount == 0:
                    connection.execute(login_failures.insert().values(key=key, failed=1, at=at))
            return 0

        return await self._database.write(count)

    async def record_success(self, *keys: str) -> None:
        """Forget the failures of an account in this browser or at this network.

        Of the other counts only this attempt is taken back: the owner of one account must not be
        able to start anew with the next guess at another.
        """
        mine = login_failures.c.key.in_(keys)
        account = login_failures.c.key.startswith("account:")
        less = login_failures.update().where(mine, login_failures.c.failed > 0)

        def forgive(connection: sa.Connection) -> None:
            connection.execute(login_failures.delete().where(mine, account))
            connection.execute(less.values(failed=login_failures.c.failed - 1))

        await self._database.write(forgive)


def _delay(key: str, failed: dict[str, int]) -> int:
    """Return the milliseconds that one of the keys of an attempt asks to wait.

    Args:
        failed: the failures in a row of each key.
    """
    kind = key.partition(":")[0]
    if kind == "everywhere":
        return 0
    if kind == "address":
        return ADDRESS_DELAY.after(failed[key])
    pressure = max((n for other, n in failed.items() if other.startswith("everywhere:")), default=0)
    delay = UNDER_ATTACK_DELAY if pressure >= MAX_CONSECUTIVE_FAILURES else ACCOUNT_DELAY
    return delay.after(failed[key])
