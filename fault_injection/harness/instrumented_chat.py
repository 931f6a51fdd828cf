"""The chat with a monitor for fault injection: on SIGUSR1 it logs the number of tasks and how long
its event loop was held up. Its clock may be wrong.

    python -m fault_injection.harness.instrumented_chat --port=0 ...

CLOCK_OFF in the environment is the number of seconds by which its clock is wrong.
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

log = logging.getLogger("chat.faults")


SAMPLE_INTERVAL = 10_000_000
"""Nanoseconds between two samples of the other threads, at least."""


class Clocks(NamedTuple):
    """Nanoseconds of wall time, of waiting for a processor while runnable, and of CPU time."""

    wall: int
    runnable_wait: int
    cpu: int


def run_queue_delays() -> dict[str, int]:
    """Return the nanoseconds for which each other thread has waited for a processor."""
    mine = str(threading.get_native_id())
    found = {}
    for thread in os.listdir("/proc/self/task"):  # noqa: PTH208 - in a loop that is measured
        if thread != mine:
            with contextlib.suppress(OSError):  # it has ended
                file = os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY)
                try:
                    found[thread] = int(os.read(file, 100).split()[1])
                finally:
                    os.close(file)
    return found


class LoopMonitor:
    """Measures each turn of the loop: from when it has heard what is ready until it listens again.

    So long everybody else has to wait. What the machine takes is no fault of the loop and is taken
    off: the time in which this thread could have run, but no processor was free for it; and, of the
    time in which it waited, that in which another thread, which may have held the interpreter, was
    kept from a processor. What is left are its own work and all other waiting: for a server, for a
    lock, for the interpreter.
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
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
        """Measure no more."""
        self._selector.select = self._select  # type: ignore[method-assign]
        os.close(self._schedstat)

    def report(self, _number: int, _frame: FrameType | None) -> None:
        """Log the number of tasks, and the longest turn since the last report."""
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
    """Serve with a monitor."""
    monitor = LoopMonitor(asyncio.get_running_loop()._selector)  # type: ignore[attr-defined]
    signal.signal(signal.SIGUSR1, monitor.report)
    try:
        await real_serve(options)
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        monitor.close()


if __name__ == "__main__":
    shift_clock(int(os.environ.get("CLOCK_OFF", "0")))
    capstone_chat.__main__.serve = serve
    sys.exit(capstone_chat.__main__.main())
