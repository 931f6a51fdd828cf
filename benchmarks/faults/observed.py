"""The chat, with two things for the eyes of the faults: its clock may be wrong, and on SIGUSR1 it
logs how many tasks it has.

    python -m benchmarks.faults.observed --port=0 ...

CLOCK_OFF in the environment is the number of seconds by which its clock is wrong.
"""

import asyncio
import logging
import os
import signal
import sys
import time
from types import FrameType

import capstone_chat.__main__

log = logging.getLogger("chat.faults")


def shift_clock(seconds: int) -> None:
    """Let this process take the time for another one."""
    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + seconds
    time.time_ns = lambda: real_ns() + seconds * 1_000_000_000


def count_tasks(_number: int, _frame: FrameType | None) -> None:
    """Log how many tasks there are."""
    tasks = len(asyncio.all_tasks())
    log.warning("counted", extra={"fields": {"tasks": tasks}})


if __name__ == "__main__":
    shift_clock(int(os.environ.get("CLOCK_OFF", "0")))
    signal.signal(signal.SIGUSR1, count_tasks)
    sys.exit(capstone_chat.__main__.main())
