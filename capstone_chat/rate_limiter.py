"""How often somebody may do something: a bucket of tokens for each user or address."""

import asyncio
import ipaddress
import time
from collections.abc import Callable

IPV6_PREFIX = 64
"""Bits of an IPv6 address that a network provider assigns; the customer chooses the others
(RFC 6177), so a limit for each whole address would be none."""


def network_key(address: str) -> str:
    """Return the key by which an IP address is counted.

    Args:
        address: as Tornado gives it in `remote_ip`.

    Returns:
        An IPv4 address, also for one that is mapped into IPv6 (RFC 4291 section 2.5.5.2), or the
        first 64 bits of an IPv6 address. Anything else is returned as it is.
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

    def acquire(self, key: object, tokens: float = 1) -> bool:
        """Take tokens of `key`; False, and none is taken, when it has fewer left."""
        now = self._clock()
        self._sweep(now)
        left, since = self._buckets.get(key, (self.burst, now))
        left = min(self.burst, left + (now - since) * self.rate)
        self._buckets[key] = (left - tokens if left >= tokens else left, now)
        return left >= tokens

    def _sweep(self, now: float) -> None:
        """Forget the full buckets now and then: strangers must not fill the memory."""
        full = self.burst / self.rate
        if now - self._swept > full:
            self._swept = now
            self._buckets = {k: b for k, b in self._buckets.items() if now - b[1] < full}


class ConcurrencyLimiter:
    """Bounds the operations of each key that run at once; further ones wait in order.

    Args:
        max_concurrent: operations of one key that may run at once.
    """

    def __init__(self, max_concurrent: int) -> None:
        self._max_concurrent = max_concurrent
        self._slots: dict[object, asyncio.Semaphore] = {}
        self._users: dict[object, int] = {}

    async def acquire(self, key: object) -> None:
        """Wait for a slot of `key`; call `release` once for each call that returned."""
        slots = self._slots.setdefault(key, asyncio.Semaphore(self._max_concurrent))
        self._users[key] = self._users.get(key, 0) + 1
        try:
            await slots.acquire()
        except asyncio.CancelledError:
            self._forget(key)
            raise

    def release(self, key: object) -> None:
        """Return a slot; the longest waiting operation of `key` gets it."""
        self._slots[key].release()
        self._forget(key)

    def _forget(self, key: object) -> None:
        self._users[key] -= 1
        if self._users[key] == 0:  # idle keys take no memory
            del self._users[key], self._slots[key]
