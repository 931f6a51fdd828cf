"""Start the process of a check by a fork of one that has everything imported.

Hundreds of checks run here, and a new Python spends more time on importing Tornado than on the
check itself. That the runner starts a new Python is shown in tests/course/test_checks.py. Windows
has no fork.
"""

import json
import os
import socket
import subprocess
import sys
import traceback
from pathlib import Path
from typing import IO, Any

import course.check_process
from course.checks import ROOT

REQUEST = 65_536  # bytes, more than two paths take


class Forked:
    """What `course.checks` needs of a `subprocess.Popen`."""

    def __init__(self, channel: socket.socket) -> None:
        self._answers = channel.makefile("r", encoding="utf-8")
        self._channel = channel
        self._code: int | None = None
        self.pid = int(self._answers.readline())

    def wait(self, timeout: float | None = None) -> int:
        if self._code is None:
            self._channel.settimeout(timeout)
            try:
                self._code = int(self._answers.readline())
            except TimeoutError:
                # A file that has timed out once reads no more.
                self._answers.close()
                self._answers = self._channel.makefile("r", encoding="utf-8")
                raise subprocess.TimeoutExpired("a check", timeout or 0) from None
            finally:
                self._channel.settimeout(None)
            self._answers.close()
        return self._code


class Forker:
    """The process that is forked, one check at a time."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.exercises.forking", str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is not for it
            )

    def start(
        self, check: Path, subject: Path, timeout: float, answer: IO[bytes], noise: IO[bytes]
    ) -> Forked:
        """Stands in for `course.checks.start`."""
        request = json.dumps([str(check), str(subject), timeout]).encode()
        socket.send_fds(self._channel, [request], [answer.fileno(), noise.fileno()])
        return Forked(self._channel)

    def close(self) -> None:
        self._channel.close()  # which ends it
        self._process.wait()


def serve(channel: socket.socket) -> None:
    """Fork for each request; say the child's id, and how it has ended, a line each."""
    while True:
        request, files, _, _ = socket.recv_fds(channel, REQUEST, 2)
        if not request:
            return
        child = os.fork()
        if not child:
            become_check(channel, files, *json.loads(request))
        for file in files:
            os.close(file)
        channel.sendall(f"{child}\n".encode())
        _, status = os.waitpid(child, 0)
        channel.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def become_check(channel: socket.socket, files: list[int], *arguments: Any) -> None:
    """Be what `python -m course.check_process` would be, in this new process; never return."""
    try:
        os.setsid()  # so that it can be ended with all it started
        channel.close()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number, file in enumerate((nothing, *files)):
            os.dup2(file, number)
            os.close(file)
        check, subject, timeout = arguments
        sys.argv = [course.check_process.__file__, check, subject, str(timeout)]
        course.check_process.main(Path(check), Path(subject), timeout)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
