"""Register requests and connections that are in flight, so that a shutdown can wait for them."""

import asyncio
import contextlib


class InFlight:
    """Set of requests or connections in flight, which a shutdown can wait for."""

    def __init__(self) -> None:
        self._in_flight: set[object] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def add(self, what: object) -> None:
        """Register a request or connection that a shutdown must wait for."""
        self._in_flight.add(what)
        self._empty.clear()

    def remove(self, what: object) -> None:
        """Remove a request or connection that has finished. Idempotent."""
        self._in_flight.discard(what)
        if not self._in_flight:
            self._empty.set()

    async def wait_until_empty(self, seconds: float) -> None:
        """Wait until nothing is in flight, or until `seconds` have passed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), seconds)
