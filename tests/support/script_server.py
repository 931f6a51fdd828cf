"""Start a lesson's script as a learner does, on a free port, and stop it again.

It is a fork of a Python that has Tornado imported (forked_python.py), unless it needs a new one.
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

from tornado.testing import bind_unused_port

from course.demo import script_on_port
from tests.support import forked_python

ROOT = Path(__file__).resolve().parents[2]
ATTEMPTS = 5


class Server:
    """A script in a process of its own.

    Attributes:
        port: the port it was told to listen on.
        output: its standard output up to and with the line that gives the address.
        ready: whether that line came; if not, the process has ended.
    """

    def __init__(self, script: Path, arguments: tuple[str, ...], new_python: bool) -> None:
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
        return self._process.pid

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        """What it has written to standard error."""
        self._log.seek(0)
        return self._log.read()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send the signal, by default that of Ctrl-C; return the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Return the exit code; close() kills a process that does not end."""
        return self._process.wait(timeout=20)

    def rest(self) -> str:
        """What it printed after its address; waits until it and all its children have ended."""
        return self._stdout.read()

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._stdout.close()
        self._process.wait()
        self._log.close()
        self._folder.cleanup()


def start_new(command: list[str], log: IO[str]) -> tuple[subprocess.Popen[str], IO[str]]:
    """Start a new Python; return it and its standard output."""
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
    """Start processes with SIGINT ignored, as a shell script does for a command with `&`."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def started(script: Path, *arguments: str, new_python: bool = False) -> Iterator[Server]:
    """Start script and wait for the line `Open http://...`, or until it ends.

    Another process may take the port between the choice and the start: then another is chosen.
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
    """Start script, which has to serve."""
    with started(script, *arguments, new_python=new_python) as server:
        assert server.ready, f"{script} did not print its address:\n{server.output}{server.log}"
        yield server
