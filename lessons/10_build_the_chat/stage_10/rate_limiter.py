"""Rate limits: a number of actions per second for each key, and a burst."""

import time
from collections.abc import Hashable

MAX_KEYS = 10_000  # so that many addresses do not fill the memory


class RateLimiter:
    """A token bucket for each key.

    Args:
        per_second: how many actions a key may do for a long time.
        burst: how many it may do at once.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self.per_second = per_second
        self.burst = burst
        self.buckets: dict[Hashable, tuple[float, float]] = {}

    def allow(self, key: Hashable) -> bool:
        """Count an action; return False if it is one too many."""
        now = time.monotonic()
        tokens, since = self.buckets.pop(key, (float(self.burst), now))
        tokens = min(self.burst, tokens + (now - since) * self.per_second)
        self.buckets[key] = (max(tokens - 1, 0.0) if tokens >= 1 else tokens, now)
        if len(self.buckets) > MAX_KEYS:
            del self.buckets[next(iter(self.buckets))]  # the one that was not used for longest
        return tokens >= 1
