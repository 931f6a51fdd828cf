"""Rate limiter (a token bucket for each user or address) and concurrency limiter."""

import asyncio
import functools
import ipaddress
import time
from collections.abc import Callable

IPV6_PREFIX = 64
"""Number of leading bits of an IPv6 address that identify a network. A customer chooses the other
bits (RFC 6177), so a limit for each whole address would have no effect."""


@functools.lru_cache(1024)  # a handshake asks for it three times
def network_key(address: str) -> str:
    """Return the key under which rate limiters count an IP address.

    Args:
        address: `remote_ip` of a Tornado request.

    Returns:
        The IPv4 address, also if it is mapped into IPv6 (RFC 4291 section 2.5.5.2), or the first 64
        bits of an IPv6 address. A text that is no IP address is returned unchanged.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    prefix = int(ip) >> (128 - IPV6_PREFIX) << (128 - IPV6_PREFIX)
    return f"{ipaddress.IPv6Address(prefix)}/{IPV6_PREFIX}"


class RateLimiter:
    """Allows each key a number of actions per second and a burst (a token bucket).

    Args:
        rate: tokens added per second.
        burst: tokens in a full bucket.
        clock: function that returns monotonic seconds.
    """

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate = rate
        self.burst = burst
        self._clock = clock
        self._buckets: dict[object, tuple[float, float]] = {}
        self._swept = clock()

    def acquire(self, key: object, tokens: float = 1) -> bool:
        """Take tokens from the bucket of a key.

        Args:
            key: the user or address.
            tokens: the number of tokens.

        Returns:
            False if the bucket has fewer tokens; then none is taken.
        """
        now = self._clock()
        self._sweep(now)
        left, since = self._buckets.get(key, (self.burst, now))
        left = min(self.burst, left + (now - since) * self.rate)
        self._buckets[key] = (left - tokens if left >= tokens else left, now)
        return left >= tokens

    def _sweep(self, now: float) -> None:
        """Delete full buckets once per refill time, so that many keys do not exhaust memory."""
        full = self.burst / self.rate
        if now - self._swept > full:
            self._swept = now
            self._buckets = {k: b for k, b in self._buckets.items() if now - b[1] < full}


class ConcurrencyLimiter:
    """Limits the concurrent operations of each key; further operations wait in order.

    Args:
        max_concurrent: maximum number of concurrent operations of one key.
    """

    def __init__(self, max_concurrent: int) -> None:
        self._max_concurrent = max_concurrent
        self._slots: dict[object, asyncio.Semaphore] = {}
        self._users: dict[object, int] = {}

    async def acquire(self, key: object) -> None:
        """Wait for a slot of a key; each call that returns requires a call of `release`."""
        slots = self._slots.setdefault(key, asyncio.Semaphore(self._max_concurrent))
        self._users[key] = self._users.get(key, 0) + 1
        try:
            await slots.acquire()
        except asyncio.CancelledError:
            self._forget(key)
            raise

    def release(self, key: object) -> None:
        """Release a slot; the operation of the key that has waited longest gets it."""
        self._slots[key].release()
        self._forget(key)

    def _forget(self, key: object) -> None:
        self._users[key] -= 1
        if self._users[key] == 0:  # keys without operations must not take memory
            del self._users[key], self._slots[key]
