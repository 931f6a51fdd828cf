"""The chat, with what the eyes of the faults need: on SIGUSR1 it logs how many tasks it has and how
long its loop was held up; and its clock may be wrong.

    python -m benchmarks.faults.observed --port=0 ...

CLOCK_OFF in the environment is the number of seconds by which its clock is wrong.
"""

import asyncio
import logging
import os
import selectors
import signal
import sys
import time
from types import FrameType

import capstone_chat.__main__
from capstone_chat.options import Options

log = logging.getLogger("chat.faults")


class Turns:
    """Measures each turn of the loop: from when it has heard what is ready until it listens again.

    So long everybody else has to wait. The time in which the thread could have gone on, but the
    machine had no processor free for it, is taken off. The time in which it waited for anything
    else, such as a server, a lock or the interpreter, is not.
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.longest = 0.0
        """Seconds of the longest turn."""
        # Nanoseconds that this thread has run, and that it has waited for a processor.
        self._schedstat = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
        self._began = self._clock()
        self._selector = selector
        self._select = selector.select
        selector.select = self._between  # type: ignore[method-assign]

    def _between(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.longest = max(self.longest, self._clock() - self._began)
        ready = self._select(timeout)
        self._began = self._clock()
        return ready

    def _clock(self) -> float:
        waited = int(os.pread(self._schedstat, 100, 0).split()[1])
        return (time.perf_counter_ns() - waited) / 1e9

    def close(self) -> None:
        """Measure no more."""
        self._selector.select = self._select  # type: ignore[method-assign]
        os.close(self._schedstat)

    def tell(self, _number: int, _frame: FrameType | None) -> None:
        """Log how many tasks there are, and the longest turn since this was last asked."""
        longest, self.longest = self.longest, 0.0
        fields = {"tasks": len(asyncio.all_tasks()), "held_ms": round(longest * 1000)}
        log.warning("observed", extra={"fields": fields})


def shift_clock(seconds: int) -> None:
    """Let this process take the time for another one."""
    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + seconds
    time.time_ns = lambda: real_ns() + seconds * 1_000_000_000


real_serve = capstone_chat.__main__.serve


async def serve(options: Options) -> None:
    """Serve, observed."""
    turns = Turns(asyncio.get_running_loop()._selector)  # type: ignore[attr-defined]
    signal.signal(signal.SIGUSR1, turns.tell)
    try:
        await real_serve(options)
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        turns.close()


if __name__ == "__main__":
    shift_clock(int(os.environ.get("CLOCK_OFF", "0")))
    capstone_chat.__main__.serve = serve
    sys.exit(capstone_chat.__main__.main())
