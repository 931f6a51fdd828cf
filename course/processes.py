"""End a process, and the processes that it has started."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

WAKE_INTERVAL = 1.0  # seconds between two calls of `wake`


def wake(send_signal: Callable[[int], object]) -> None:
    """Make a process that waits for an event act on a signal that it has already received.

    `asyncio.run()` sets a Python handler for Ctrl-C. If the signal arrives just before the event
    loop begins to wait, it does not end that wait, and the handler runs when the next event
    arrives. SIGSTOP and SIGCONT end the wait of `epoll_wait`, see signal(7). Not for Windows.

    Args:
        send_signal: sends a signal to the process.
    """
    if sys.platform != "win32":
        send_signal(signal.SIGSTOP)
        send_signal(signal.SIGCONT)


def kill_tree(pid: int) -> None:
    """Kill a process that leads a session of its own, and all processes in that session's group.

    Args:
        pid: the id of the process; it may have ended already, unless the system is Windows.
    """
    if sys.platform == "win32":
        command = ["taskkill", "/T", "/F", "/PID", str(pid)]
        subprocess.run(command, capture_output=True, check=False)
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def kill_marked(variable: str, mark: str) -> None:
    """Kill the processes that have inherited a mark in their environment, except this one.

    A process that has begun a session of its own is not in the group of the one that started it.
    Only Linux shows the environments of processes; elsewhere nothing is done.

    Args:
        variable: the name of the variable of the environment.
        mark: its value, which no other process has.
    """
    entry = f"{variable}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) != os.getpid():
            # The process has ended, or belongs to another user.
            with contextlib.suppress(OSError):
                if entry in (folder / "environ").read_bytes().split(b"\0"):
                    os.kill(int(folder.name), signal.SIGKILL)
