"""Starts Python programs as forks of a process that has imported their modules.

The tests start hundreds of programs, and a new Python takes longer to import Tornado than to run
such a program. test_scripts.py shows that each script starts in a new Python, and
tests/course/test_checks.py that the runner starts a new Python for each check. Windows has no fork,
so the tests start a new Python each time.

Each test process has one process that is forked, and another one for notebooks
(tests/notebooks/kernels.py). A client connects to it and sends the arguments of a command line
together with three file descriptors for standard input, output and error. The answer is the process
id of the program and, when the program has ended, its exit code.
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

# Modules that the lessons' scripts, the exercises and their checks import.
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
"""A process id or an exit code, as it is sent."""
FAIL_FAST_AFTER = 3.0
"""Seconds, see course.checking.worker."""
PIECE = 65_536
"""Bytes of one read; most requests are shorter."""

own_address = ""
"""The socket of the process that is forked; set in that process and in all its children."""


class ForkedPython:
    """A program, with the part of the interface of `subprocess.Popen` that the tests use.

    Args:
        arguments: the arguments after `python` on a command line.
        streams: file descriptors of standard input, output and error.
        cwd: the current folder.
        group: the process group that it joins; 0 for a new one.
        prepared: the module whose process is forked.
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
        """Start the program."""
        program = {"arguments": arguments, "cwd": str(cwd), "group": group}
        request = json.dumps(program | {"environment": dict(os.environ)}).encode() + b"\n"
        self._code: int | None = None
        self._channel = socket.socket(socket.AF_UNIX)
        self._channel.connect(own_address or address(prepared))
        sent = socket.send_fds(self._channel, [request], streams)
        if sent < len(request):  # sending even zero bytes fails if the program has ended
            self._channel.sendall(request[sent:])
        self.pid: int = NUMBER.unpack(self._channel.recv(NUMBER.size))[0]

    def poll(self) -> int | None:
        """Return the exit code, or None while the program runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the program has ended, and return its exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs after `timeout` seconds.
        """
        if self._code is None:
            self._channel.settimeout(timeout)
            try:
                self._end(self._channel.recv(NUMBER.size))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired("a forked Python", timeout or 0) from None
        assert self._code is not None
        return self._code

    async def wait_async(self) -> int:
        """Wait in the event loop until the program has ended, and return its exit code."""
        if self.poll() is None:  # poll leaves the channel non-blocking
            loop = asyncio.get_running_loop()
            self._end(await loop.sock_recv(self._channel, NUMBER.size))
        return self.wait()

    def _end(self, code: bytes) -> None:
        [self._code] = NUMBER.unpack(code)
        self._channel.close()

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing if the program has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended since poll
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Command:
    """A program with the interface of `course.testing.command.Process`.

    Args:
        process: the program.
        stdout: its standard output.
    """

    def __init__(self, process: ForkedPython, stdout: asyncio.StreamReader) -> None:
        self._process = process
        self.stdout = stdout
        self.kill, self.wait = process.kill, process.wait_async
        self.send_signal, self.terminate = process.send_signal, process.terminate

    @property
    def returncode(self) -> int | None:
        """The exit code, or None while the program runs."""
        return self._process.poll()


def start_server(arguments: Sequence[str], log: IO[str]) -> tuple[ForkedPython, IO[str]]:
    """Start a program, and return it and its standard output.

    Args:
        arguments: the arguments after `python` on a command line.
        log: receives its standard error.
    """
    reads, writes = os.pipe()
    with os.fdopen(writes), open_null() as stdin:
        process = ForkedPython(arguments, [stdin.fileno(), writes, log.fileno()], ROOT)
    return process, os.fdopen(reads, encoding="utf-8")


def start_check(
    check: Path, subject: Path, timeout: float, result_file: IO[bytes], stderr_file: IO[bytes]
) -> ForkedPython:
    """Start a check; replaces `course.checking.runner.start_worker`.

    A check fails fast after `FAIL_FAST_AFTER` seconds, which is longer than in the course: on a
    busy machine the check would otherwise end before the failure that a test expects.
    """
    arguments = ["-m", "course.checking.worker", str(check), str(subject), str(timeout)]
    arguments.append(str(FAIL_FAST_AFTER))
    with open_null() as stdin:
        return ForkedPython(
            arguments, [stdin.fileno(), result_file.fileno(), stderr_file.fileno()], ROOT
        )


async def start_command(arguments: Sequence[str], folder: Path, log: IO[bytes]) -> Command:
    """Start a program; replaces `course.testing.command.start`."""
    stdout = asyncio.StreamReader()
    reads, writes = os.pipe()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stdout), os.fdopen(reads)
    )
    with os.fdopen(writes), open_null() as stdin:
        streams = [stdin.fileno(), writes, log.fileno()]
        # The program joins the group of the check, so it is killed with that group.
        return Command(ForkedPython(arguments, streams, folder, group=os.getpgrp()), stdout)


def open_null() -> IO[bytes]:
    """Open the null device for reading."""
    return Path(os.devnull).open("rb")


@functools.cache
def address(module: str) -> str:
    """Start the process of a module that is forked, and return its socket."""
    path = f"{tempfile.mkdtemp()}/socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-m", module, path, str(listener.fileno())],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            start_new_session=True,  # so that Ctrl-C does not reach it
        )
    atexit.register(process.communicate)  # closes its standard input
    return path


def serve(listener: socket.socket) -> list[str]:
    """Fork for each request until standard input ends; return the arguments, in a child only."""
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        with contextlib.suppress(ChildProcessError):  # there is no child
            while os.waitpid(-1, os.WNOHANG)[0]:  # reap children that have ended
                pass
        channel, _ = listener.accept()
        if not os.fork():
            listener.close()
            return become_program(channel)
        channel.close()
    shutil.rmtree(Path(own_address).parent)
    sys.exit()


def become_program(channel: socket.socket) -> list[str]:
    """Fork again: the parent sends the exit code of the child; the child returns."""
    request, streams, _, _ = socket.recv_fds(channel, PIECE, 3)
    while not request.endswith(b"\n"):
        request += channel.recv(PIECE)
    if child := os.fork():
        for file in streams:
            os.close(file)
        _, status = os.waitpid(child, 0)
        with contextlib.suppress(OSError):  # the client may have ended before
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
    """Run the program of a command line, as `python -u` does."""
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
    """Run the process that is forked; its children have the modules that are imported now."""
    global own_address
    own_address = sys.argv[1]
    # A test may have started this process while it ignored Ctrl-C (script_server.py).
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.freeze()  # keeps the collector of a child from touching, and so copying, these objects
    run(serve(socket.socket(fileno=int(sys.argv[2]))))


if __name__ == "__main__":
    course.testing.command.start = start_command
    main()
