"""Start a lesson's script as a learner does, on a free port, and stop it again."""

import contextlib
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tornado.testing import bind_unused_port

ROOT = Path(__file__).resolve().parents[2]
ATTEMPTS = 5


class Server:
    """A script in a process of its own.

    Attributes:
        port: the port it was told to listen on.
        output: its standard output up to and with the line that gives the address.
        ready: whether that line came; if not, the process has ended.
    """

    def __init__(self, script: Path, arguments: tuple[str, ...]) -> None:
        sock, self.port = bind_unused_port()
        sock.close()
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115, closed in stop()
        self._process = subprocess.Popen(
            [sys.executable, "-u", str(script), f"--port={self.port}", *arguments],
            stdout=subprocess.PIPE,
            stderr=self._log,
            encoding="utf-8",
            cwd=ROOT,
        )
        self.output = ""
        self.ready = False
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.output += line
            if line.startswith("Open http://"):
                self.ready = True
                break

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        """What it has written to standard error."""
        self._log.seek(0)
        return self._log.read()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal, unless it has ended; return the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Return the exit code; close() kills a process that does not end."""
        return self._process.wait(timeout=20)

    def rest(self) -> str:
        """What it printed after its address; waits until it and all its children have ended."""
        assert self._process.stdout is not None
        return self._process.stdout.read()

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait()
        self._log.close()


@contextlib.contextmanager
def started(script: Path, *arguments: str) -> Iterator[Server]:
    """Start script and wait for the line `Open http://...`, or until it ends.

    Another process may take the port between the choice and the start: then another is chosen.
    """
    for attempt in range(ATTEMPTS):
        server = Server(script, arguments)
        taken = not server.ready and re.search("address already in use", server.log, re.I)
        if not taken or attempt == ATTEMPTS - 1:
            break
        server.close()
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def serving(script: Path, *arguments: str) -> Iterator[Server]:
    """Start script, which has to serve."""
    with started(script, *arguments) as server:
        assert server.ready, f"{script} did not print its address:\n{server.output}{server.log}"
        yield server
