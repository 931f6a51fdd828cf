"""Guessing passwords made slow, in every process at once: the count is in the database.

After a few failures in a row each further one doubles the wait. Failures are counted for the
account and for the address. A browser that has logged in to the account before counts by itself, so
a stranger who fails on purpose does not lock the user out (OWASP: Slow Down Online Guessing Attacks
with Device Cookies).
"""

from collections.abc import Callable

import sqlalchemy as sa

from capstone_chat.database import Database, now
from capstone_chat.schema import failures

FREE = {"account": 5, "address": 20}
"""Failures in a row that cost no wait."""

LONGEST = 15 * 60_000
"""Milliseconds of the longest wait; after as long again without a failure the count begins anew."""


class Throttle:
    """Counts failures and says how long to wait.

    Args:
        clock: milliseconds since 1970.
    """

    def __init__(self, database: Database, *, clock: Callable[[], int] = now) -> None:
        self._database = database
        self._clock = clock

    async def attempt(self, *keys: str) -> int:
        """Return the milliseconds that one who is known by these keys still has to wait.

        At 0 the attempt may be made. It counts as failed until it has `succeeded`, so of many that
        come at once no more pass than one after the other.
        """
        at = self._clock()
        known = sa.select(failures).where(failures.c.key.in_(keys)).order_by(failures.c.key)
        known = known.with_for_update()  # another process waits here, and then sees this count

        def count(connection: sa.Connection) -> int:
            connection.execute(failures.delete().where(failures.c.at < at - 2 * LONGEST))
            rows = connection.execute(known).all()
            wait = max((row.at + _delay(row.key, row.failed) - at for row in rows), default=0)
            if wait > 0:
                return wait
            for key in keys:
                here = failures.c.key == key
                more = failures.update().where(here).values(failed=failures.c.failed + 1, at=at)
                if connection.execute(more).rowcount == 0:
                    connection.execute(failures.insert().values(key=key, failed=1, at=at))
            return 0

        return await self._database.write(count)

    async def succeeded(self, *keys: str) -> None:
        """Forget the failures of an account. Those of an address stay, but for this attempt: who
        owns one account must not be able to start anew with the next guess at another."""
        mine = failures.c.key.in_(keys)
        account = failures.c.key.startswith("account:")

        def forgive(connection: sa.Connection) -> None:
            connection.execute(failures.delete().where(mine, account))
            connection.execute(failures.update().where(mine).values(failed=failures.c.failed - 1))

        await self._database.write(forgive)


def _delay(key: str, failed: int) -> int:
    beyond = failed - FREE[key.partition(":")[0]]
    return min(LONGEST, 1000 << min(beyond, 20)) if beyond >= 0 else 0
