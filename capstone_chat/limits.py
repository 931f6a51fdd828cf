"""How often somebody may do something: a bucket of tokens for each user or address."""

import time
from collections.abc import Callable


class Limit:
    """Each key may do `burst` things at once and `rate` a second for long (a token bucket).

    Args:
        rate: tokens a second.
        burst: tokens in a full bucket.
        clock: seconds, never going back.
    """

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate = rate
        self.burst = burst
        self._clock = clock
        self._buckets: dict[object, tuple[float, float]] = {}
        self._swept = clock()

    def take(self, key: object) -> bool:
        """Take a token of `key`; False when it has none left."""
        now = self._clock()
        self._sweep(now)
        tokens, since = self._buckets.get(key, (self.burst, now))
        tokens = min(self.burst, tokens + (now - since) * self.rate)
        self._buckets[key] = (tokens - 1 if tokens >= 1 else tokens, now)
        return tokens >= 1

    def _sweep(self, now: float) -> None:
        """Forget the full buckets now and then: strangers must not fill the memory."""
        full = self.burst / self.rate
        if now - self._swept > full:
            self._swept = now
            self._buckets = {k: b for k, b in self._buckets.items() if now - b[1] < full}
