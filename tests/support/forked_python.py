"""Start Python programs by forks of one that has everything imported.

Hundreds of programs are started here, and a new Python spends more time on importing Tornado than
on what is asked of it. That each script starts in a new Python is shown in test_scripts.py, that
the runner starts one for each check in tests/course/test_checks.py. Windows has no fork: there a
new Python is started each time.

Each test process has one process that is forked, and another one for notebooks
(tests/notebooks/kernels.py). Who wants a program connects to it, sends what a command line would
say together with three files for standard input, output and error, and is told the program's
process id and, when it has ended, its exit code.
"""

import asyncio
import atexit
import contextlib
import functools
import gc
import json
import os
import runpy
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import types
from collections.abc import Sequence
from pathlib import Path
from typing import IO

# What the lessons' scripts, the exercises and their checks import.
import tornado.auth
import tornado.autoreload
import tornado.httpclient
import tornado.httpserver
import tornado.locale
import tornado.locks
import tornado.log
import tornado.options
import tornado.process
import tornado.queues
import tornado.testing
import tornado.web
import tornado.websocket  # noqa: F401, the last name stands for all of them

import course.checking.worker
import course.testing.command
import course.testing.websocket

ROOT = Path(__file__).resolve().parents[2]
NUMBER = struct.Struct("i")
FAIL_FAST_AFTER = 3.0  # seconds, see course.checking.worker
PIECE = 65_536  # bytes, more than most requests take

# Where the process that is forked listens, known in that process and in all its children.
own_address = ""


class ForkedPython:
    """A program; what is used here of a `subprocess.Popen`.

    Args:
        arguments: what follows `python` on a command line.
        streams: its standard input, output and error.
        cwd: its current folder.
        group: the process group it joins; 0 for a new one.
        prepared: the module that has imported what it needs.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        streams: Sequence[int],
        cwd: Path,
        *,
        group: int = 0,
        prepared: str = "tests.support.forked_python",
    ) -> None:
        program = {"arguments": arguments, "cwd": str(cwd), "group": group}
        request = json.dumps(program | {"environment": dict(os.environ)}).encode() + b"\n"
        self._code: int | None = None
        self._channel = socket.socket(socket.AF_UNIX)
        self._channel.connect(own_address or address(prepared))
        sent = socket.send_fds(self._channel, [request], streams)
        if sent < len(request):  # even an empty rest cannot be sent to a program that has ended
            self._channel.sendall(request[sent:])
        self.pid: int = NUMBER.unpack(self._channel.recv(NUMBER.size))[0]

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        if self._code is None:
            self._channel.settimeout(timeout)
            try:
                self._end(self._channel.recv(NUMBER.size))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired("a forked Python", timeout or 0) from None
        assert self._code is not None
        return self._code

    async def wait_async(self) -> int:
        if self.poll() is None:  # which leaves the channel non-blocking
            loop = asyncio.get_running_loop()
            self._end(await loop.sock_recv(self._channel, NUMBER.size))
        return self.wait()

    def _end(self, code: bytes) -> None:
        [self._code] = NUMBER.unpack(code)
        self._channel.close()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended since
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Command:
    """A program; a `course.testing.command.Process`."""

    def __init__(self, process: ForkedPython, stdout: asyncio.StreamReader) -> None:
        self._process = process
        self.stdout = stdout
        self.kill, self.wait = process.kill, process.wait_async
        self.send_signal, self.terminate = process.send_signal, process.terminate

    @property
    def returncode(self) -> int | None:
        return self._process.poll()


def start_server(arguments: Sequence[str], log: IO[str]) -> tuple[ForkedPython, IO[str]]:
    """Start a program; return it and its standard output."""
    reads, writes = os.pipe()
    with os.fdopen(writes), open_null() as stdin:
        process = ForkedPython(arguments, [stdin.fileno(), writes, log.fileno()], ROOT)
    return process, os.fdopen(reads, encoding="utf-8")


def start_check(
    check: Path, subject: Path, timeout: float, result_file: IO[bytes], stderr_file: IO[bytes]
) -> ForkedPython:
    """Stands in for `course.checking.runner.start_worker`.

    On a busy machine a check takes longer than a learner should wait, and would end before the
    failure that a test looks for.
    """
    arguments = ["-m", "course.checking.worker", str(check), str(subject), str(timeout)]
    arguments.append(str(FAIL_FAST_AFTER))
    with open_null() as stdin:
        return ForkedPython(
            arguments, [stdin.fileno(), result_file.fileno(), stderr_file.fileno()], ROOT
        )


async def start_command(arguments: Sequence[str], folder: Path, log: IO[bytes]) -> Command:
    """Stands in for `course.testing.command.start`."""
    stdout = asyncio.StreamReader()
    reads, writes = os.pipe()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stdout), os.fdopen(reads)
    )
    with os.fdopen(writes), open_null() as stdin:
        streams = [stdin.fileno(), writes, log.fileno()]
        # It ends with the check, whose group is ended.
        return Command(ForkedPython(arguments, streams, folder, group=os.getpgrp()), stdout)


def open_null() -> IO[bytes]:
    return Path(os.devnull).open("rb")


@functools.cache
def address(module: str) -> str:
    """Start the process that is forked; return where it listens. It ends with this process."""
    path = f"{tempfile.mkdtemp()}/socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-m", module, path, str(listener.fileno())],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl-C is not for it
        )
    atexit.register(process.communicate)  # closes its standard input
    return path


def serve(listener: socket.socket) -> list[str]:
    """Fork for each request until standard input ends; return only in a child: its arguments."""
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        with contextlib.suppress(ChildProcessError):  # no child is left
            while os.waitpid(-1, os.WNOHANG)[0]:  # those that have done their waiting
                pass
        channel, _ = listener.accept()
        if not os.fork():
            listener.close()
            return become_program(channel)
        channel.close()
    shutil.rmtree(Path(own_address).parent)
    sys.exit()


def become_program(channel: socket.socket) -> list[str]:
    """Fork once more: the one waits and tells how the other, which returns, has ended."""
    request, streams, _, _ = socket.recv_fds(channel, PIECE, 3)
    while not request.endswith(b"\n"):
        request += channel.recv(PIECE)
    if child := os.fork():
        for file in streams:
            os.close(file)
        _, status = os.waitpid(child, 0)
        with contextlib.suppress(OSError):  # who asked may have ended before
            channel.sendall(NUMBER.pack(os.waitstatus_to_exitcode(status)))
        os._exit(0)
    program = json.loads(request)
    os.setpgid(0, program["group"])
    channel.sendall(NUMBER.pack(os.getpid()))
    channel.close()
    for number, file in enumerate(streams):
        os.dup2(file, number)
        os.close(file)
    os.chdir(program["cwd"])
    os.environ.clear()
    os.environ.update(program["environment"])
    arguments: list[str] = program["arguments"]
    return arguments


def run(arguments: list[str]) -> None:
    """Do what `python -u` does with these arguments."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, write_through=True)  # type: ignore[union-attr]
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        sys.path[0] = str(Path.cwd())
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        return
    file = Path(arguments[0])
    sys.argv = arguments
    sys.path[0] = str(file.parent)
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    main.__file__ = str(file)
    exec(compile(file.read_bytes(), file, "exec"), main.__dict__)


def main() -> None:
    """Be the process that is forked, with all that has been imported by now."""
    global own_address
    own_address = sys.argv[1]
    gc.freeze()  # what is there now need not be looked through, nor copied, in each child
    run(serve(socket.socket(fileno=int(sys.argv[2]))))


if __name__ == "__main__":
    course.testing.command.start = start_command
    main()
