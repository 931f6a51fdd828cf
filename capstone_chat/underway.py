"""Requests that are being answered, so that a stop can wait for them."""

import asyncio
import contextlib


class Underway:
    """Knows which requests have begun and not ended."""

    def __init__(self) -> None:
        self._requests: set[object] = set()
        self._none = asyncio.Event()
        self._none.set()

    def begin(self, request: object) -> None:
        """A request is being answered."""
        self._requests.add(request)
        self._none.clear()

    def end(self, request: object) -> None:
        """It has been answered; to say so twice does no harm."""
        self._requests.discard(request)
        if not self._requests:
            self._none.set()

    async def none(self, patience: float) -> None:
        """Wait until nothing is being answered, at most `patience` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._none.wait(), patience)
