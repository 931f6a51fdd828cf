"""Calls of many connections, gathered so that their reads share a thread and a transaction.

Thousands of silent connections send pings and answer those of the server. A separate read for each
of them would be most of the CPU time of a silent connection; see benchmarks/NOTES.md.
"""

import asyncio
from collections.abc import Callable


class GatheredCalls:
    """Runs all calls of an interval one after the other, in one turn of the event loop.

    Args:
        interval: seconds that the first call waits for others.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._due: list[Callable[[], object]] = []

    def add(self, call: Callable[[], object]) -> None:
        """Run `call` at the end of the interval; the first call begins an interval."""
        self._due.append(call)
        if len(self._due) == 1:
            asyncio.get_running_loop().call_later(self._interval, self._run)

    def _run(self) -> None:
        due, self._due = self._due, []
        for call in due:
            call()
