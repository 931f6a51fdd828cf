"""The chat with instrumentation for fault injection.

    python -m fault_injection.harness.instrumented_chat --port=0 ...

On SIGUSR1 the process logs the number of its tasks and the longest turn of its event loop. The
environment variable CLOCK_OFF is the number of seconds by which its clock is wrong.
"""

import asyncio
import contextlib
import logging
import os
import selectors
import signal
import sys
import threading
import time
from types import FrameType
from typing import NamedTuple

import capstone_chat.__main__
from capstone_chat.options import Options
from capstone_chat.realtime import presence

log = logging.getLogger("chat.faults")


SAMPLE_INTERVAL = 10_000_000
"""Minimum number of nanoseconds between two samples of the other threads."""


class Clocks(NamedTuple):
    """Nanoseconds of wall time, of waiting for a processor while runnable, and of CPU time."""

    wall: int
    runnable_wait: int
    cpu: int


def run_queue_delays() -> dict[str, int]:
    """Return the nanoseconds that each other thread was runnable without a processor."""
    mine = str(threading.get_native_id())
    found = {}
    for thread in os.listdir("/proc/self/task"):  # noqa: PTH208 - faster, in a measured loop
        if thread != mine:
            with contextlib.suppress(OSError):  # the thread has ended
                file = os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY)
                try:
                    found[thread] = int(os.read(file, 100).split()[1])
                finally:
                    os.close(file)
    return found


class LoopMonitor:
    """Measures each turn of the event loop: the time between two calls of the selector.

    For that time no other callback can run. Two parts are subtracted, because a busy machine causes
    them: the time in which this thread was runnable without a processor; and, of the time in which
    it was blocked, the time in which another thread, which may have held the GIL, was runnable
    without a processor. The rest is the thread's own work and all other waiting: for a server, for
    a lock, for the GIL.

    Args:
        selector: the selector of the event loop.
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
        """Measure from now on; `close` ends it."""
        self.longest = 0.0
        """Seconds of the longest turn."""
        self._schedstat = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
        self._delays: dict[str, int] = {}
        self._sampled_at = 0
        self._began = Clocks(0, 0, 0)
        self._begin()
        self._selector = selector
        self._select = selector.select
        selector.select = self._between  # type: ignore[method-assign]

    def _between(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._end()
        ready = self._select(timeout)
        self._begin()
        return ready

    def _begin(self) -> None:
        self._began = self._clocks()
        if self._began.wall - self._sampled_at > SAMPLE_INTERVAL:
            self._delays, self._sampled_at = run_queue_delays(), self._began.wall

    def _end(self) -> None:
        now, began = self._clocks(), self._began
        held = now.wall - began.wall - (now.runnable_wait - began.runnable_wait)
        if held > self.longest * 1e9:
            blocked = held - (now.cpu - began.cpu)
            before = self._delays
            kept = sum(
                waited - before.get(thread, waited) for thread, waited in run_queue_delays().items()
            )
            self.longest = max(self.longest, (held - min(blocked, kept)) / 1e9)

    def _clocks(self) -> Clocks:
        waited = int(os.pread(self._schedstat, 100, 0).split()[1])
        return Clocks(time.perf_counter_ns(), waited, time.thread_time_ns())

    def close(self) -> None:
        """Stop measuring."""
        self._selector.select = self._select  # type: ignore[method-assign]
        os.close(self._schedstat)

    def report(self, _number: int, _frame: FrameType | None) -> None:
        """Log the number of tasks, and the longest turn since the last report."""
        longest, self.longest = self.longest, 0.0
        fields = {"tasks": len(asyncio.all_tasks()), "held_ms": round(longest * 1000)}
        log.warning("observed", extra={"fields": fields})


def shift_clock(seconds: int) -> None:
    """Change the clock of this process by some seconds."""
    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + seconds
    time.time_ns = lambda: real_ns() + seconds * 1_000_000_000


real_serve = capstone_chat.__main__.serve


async def serve(options: Options) -> None:
    """Serve the chat with a `LoopMonitor`."""
    monitor = LoopMonitor(asyncio.get_running_loop()._selector)  # type: ignore[attr-defined]
    signal.signal(signal.SIGUSR1, monitor.report)
    try:
        await real_serve(options)
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        monitor.close()


if __name__ == "__main__":
    shift_clock(int(os.environ.get("CLOCK_OFF", "0")))
    presence.EXPIRY = int(os.environ.get("PRESENCE_EXPIRY", presence.EXPIRY))
    presence.REFRESH_INTERVAL = presence.EXPIRY / 3
    capstone_chat.__main__.serve = serve
    sys.exit(capstone_chat.__main__.main())
