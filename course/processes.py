"""End a process together with the processes that it has started."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path


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
