"""What has begun and not ended, so that a stop can wait for it."""

import asyncio
import contextlib


class Underway:
    """Knows which requests, or sockets, have begun and not ended."""

    def __init__(self) -> None:
        self._begun: set[object] = set()
        self._none = asyncio.Event()
        self._none.set()

    def begin(self, what: object) -> None:
        """It has begun."""
        self._begun.add(what)
        self._none.clear()

    def end(self, what: object) -> None:
        """It has ended; to say so twice does no harm."""
        self._begun.discard(what)
        if not self._begun:
            self._none.set()

    async def none(self, patience: float) -> None:
        """Wait until all has ended, at most `patience` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._none.wait(), patience)
