"""Runs a module with as little of the system as Windows has.

    python tests/capstone/as_on_windows.py MODULE [ARGUMENT ...]

The modules and functions that Python has only on other systems are missing, as is `add_reader` of
the event loop, which the proactor of Windows does not have (Tornado then watches the sockets in a
thread). Programs may have said in the registry that scripts are text/plain.
"""

import asyncio
import mimetypes
import os
import runpy
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

MODULES = ("fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios")
FUNCTIONS = (
    *("chown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getloadavg", "getpriority"),
    *("getuid", "mkfifo", "nice", "pread", "pwrite", "sendfile", "setpriority", "sysconf"),
    *("uname", "wait", "writev"),
)
SELECT = select.select
SIGNALS = ("SIGABRT", "SIGBREAK", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM")


LOOP_METHODS = ("add_reader", "add_writer", "remove_reader", "remove_writer", "add_signal_handler")


class ProactorEventLoop(asyncio.SelectorEventLoop):
    """Stands for the event loop of Windows, by whose name Tornado knows it."""


def refuse(*_arguments: object) -> NoReturn:
    """Fail as that loop does."""
    raise NotImplementedError


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process; on Windows this needs no signal."""
    os.kill(process.pid, 9)


def select_512(*sets_and_timeout: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """Watch sockets, no more than Python's FD_SETSIZE on Windows."""
    if max(map(len, sets_and_timeout[:3])) > 512:
        raise ValueError("too many file descriptors in select()")
    return SELECT(*sets_and_timeout)


def take_away() -> None:
    """Remove what Windows lacks, and let SIGQUIT play its SIGBREAK (Ctrl-Break)."""
    signal.SIGBREAK = signal.SIGQUIT  # type: ignore[attr-defined]
    select.select = select_512
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]  # to import it is an ImportError
    for name in FUNCTIONS:
        if hasattr(os, name):
            delattr(os, name)
    for name in dir(signal):
        if name.startswith("SIG") and "_" not in name and name not in SIGNALS:
            delattr(signal, name)
    subprocess.Popen.kill = kill  # type: ignore[assignment]
    for name in LOOP_METHODS:
        setattr(ProactorEventLoop, name, refuse)
    asyncio.ProactorEventLoop = ProactorEventLoop  # type: ignore[attr-defined]
    asyncio.events.new_event_loop = ProactorEventLoop
    mimetypes.init(files=[])
    for suffix in ".js", ".css", ".svg":
        mimetypes.add_type("text/plain", suffix)


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    sys.argv = sys.argv[1:]
    take_away()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
