"""Checks that follow from the pongs of clients, gathered so that their reads share a transaction.

Each of thousands of silent connections answers the server's pings. A separate read for each answer
would be most of the CPU time of a silent connection; see benchmarks/NOTES.md.
"""

import asyncio
from collections.abc import Callable

GATHER_INTERVAL = 0.5
"""Seconds that the first check waits for others. It is short beside a ping interval."""


class PongChecks:
    """Runs all checks of an interval one after the other, in one turn of the event loop."""

    def __init__(self) -> None:
        self._due: list[Callable[[], None]] = []

    def add(self, check: Callable[[], None]) -> None:
        """Call `check` at the end of the interval; the first check begins an interval."""
        self._due.append(check)
        if len(self._due) == 1:
            asyncio.get_running_loop().call_later(GATHER_INTERVAL, self._run)

    def _run(self) -> None:
        due, self._due = self._due, []
        for check in due:
            check()
