"""Starts a lesson's script as a learner does, on a free port, and stops it.

The process is a fork of a Python that has imported Tornado (forked_python.py), unless the test
needs a new Python.
"""

import contextlib
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import psutil  # type: ignore[import-untyped]
from tornado.testing import bind_unused_port

from course.demo import script_on_port
from tests.support import forked_python

ROOT = Path(__file__).resolve().parents[2]
ATTEMPTS = 5
SIGNALS = 3
SIGNAL_INTERVAL = 10
"""Seconds until the next one."""


class Server:
    """A script in a process of its own.

    Args:
        script: the file of the script.
        arguments: further arguments of its command line.
        new_python: whether to start a new Python.

    Attributes:
        port: the port on which it was told to listen.
        output: its standard output up to the line with its address.
        ready: whether that line came; if not, the process has ended.
    """

    def __init__(self, script: Path, arguments: tuple[str, ...], new_python: bool) -> None:
        """Start the script, and return when it has printed its address or has ended."""
        sock, self.port = bind_unused_port()
        sock.close()
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115, closed in stop()
        self._folder = tempfile.TemporaryDirectory()
        file, options = script_on_port(script, self.port, Path(self._folder.name))
        command = [str(file), *options, *arguments]
        self._process: subprocess.Popen[str] | forked_python.ForkedPython
        if new_python or sys.platform == "win32":
            self._process, self._stdout = start_new(command, self._log)
        else:
            self._process, self._stdout = forked_python.start_server(command, self._log)
        self.output = ""
        self.ready = False
        for line in self._stdout:
            self.output += line
            if line.startswith("Open http://"):
                self.ready = True
                break

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        """The standard error so far."""
        self._log.seek(0)
        return self._log.read()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal, by default that of Ctrl-C, until the process ends; return the exit code.

        Python runs its handler of a signal that comes just before the event loop waits only when
        the loop wakes up, unless a wakeup descriptor is set, which `asyncio.run` does not do.
        """
        for _ in range(SIGNALS):
            if self._process.poll() is None:
                self._process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._process.wait(timeout=SIGNAL_INTERVAL)
        return self.wait()

    def wait(self) -> int:
        """Wait at most 20 seconds for the end, and return the exit code."""
        return self._process.wait(timeout=20)

    def rest(self) -> str:
        """Wait for the end of the process and its children; return the output after the address."""
        return self._stdout.read()

    def close(self) -> None:
        """Kill the process if it still runs, with all that it has started; release its files."""
        if self._process.poll() is None:
            children = psutil.Process(self.pid).children(recursive=True)
            self._process.kill()
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        self._stdout.close()
        self._process.wait()
        self._log.close()
        self._folder.cleanup()


def start_new(command: list[str], log: IO[str]) -> tuple[subprocess.Popen[str], IO[str]]:
    """Start a new Python, and return it and its standard output.

    Args:
        command: the arguments after `python` on a command line.
        log: receives its standard error.
    """
    process = subprocess.Popen(
        [sys.executable, "-u", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        encoding="utf-8",
        cwd=ROOT,
    )
    assert process.stdout is not None
    return process, process.stdout


@contextlib.contextmanager
def ignored_interrupts() -> Iterator[None]:
    """Ignore SIGINT in processes that the block starts, as a shell script does for `command &`."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def started(script: Path, *arguments: str, new_python: bool = False) -> Iterator[Server]:
    """Start a script and wait for the line `Open http://...`, or until it ends.

    If another process takes the port between the choice and the start, another port is tried.
    """
    for attempt in range(ATTEMPTS):
        server = Server(script, arguments, new_python)
        taken = not server.ready and re.search("address already in use", server.log, re.I)
        if not taken or attempt == ATTEMPTS - 1:
            break
        server.close()
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def serving(script: Path, *arguments: str, new_python: bool = False) -> Iterator[Server]:
    """Start a script, which must print its address."""
    with started(script, *arguments, new_python=new_python) as server:
        assert server.ready, f"{script} did not print its address:\n{server.output}{server.log}"
        yield server
