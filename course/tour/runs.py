"""The scripts that the tour runs: start, watch, stop; their output goes to the pages by messages.

A run belongs to the tour, not to the page that started it: a page that is loaded again continues.
Each run is a process in a session of its own, so that its child processes are ended with it. If
the tour ends or is killed, the process ends itself (`course.tour.watchdog`).
"""

import asyncio
import contextlib
import hmac
import itertools
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from course.demo import MAX_PORT_ATTEMPTS, ROOT, script_on_port
from course.ports import free_port
from course.processes import kill_marked, kill_tree
from course.script_launcher import PORT_IN_USE
from course.tour.output import ErrorMarker, MessageRing, OutputBuffer
from course.tour.watchdog import RUN_VARIABLE
from course.translation import translate

MAX_RUNS = 3
"""Number of scripts that run at the same time."""
MAX_ENDED = 5
"""Number of runs that are kept after their end, for a page that is loaded again."""
GATHER_SECONDS = 0.02
"""Seconds for which output is gathered before it is delivered."""
STOP_SECONDS = 3.0
"""Seconds that a script may take to end before it is killed."""
LONG_STOP_SECONDS = 10.0
"""The same for lesson 09, whose scripts finish their requests first."""
LAST_OUTPUT_SECONDS = 1.0
"""Seconds for the rest of the output of a process that has ended."""
IDLE_SECONDS = 600.0
"""Seconds after which runs are stopped if no page is open."""
ADDRESS = re.compile(rb"^Open (https?://\S+)", re.M)
ADDRESS_WITHIN = 64 * 1024
"""Bytes of output in which the address of a script is looked for."""
READ_BYTES = 64 * 1024

State = Literal["starting", "ready", "stopping", "ended"]


class TooManyRunsError(Exception):
    """As many scripts run as may run at the same time; the message names them."""


@dataclass(frozen=True)
class Program:
    """A file to run, with its options.

    Attributes:
        name: the name for the learner, such as `01/routing`.
        file: the id of the file, such as `script:01/routing`.
        path: the file.
        options: the options, without the port.
        session: the id of the session for whose changed copy the path stands, or "".
        folder: a temporary folder that is removed after the run, or None.
    """

    name: str
    file: str
    path: Path
    options: tuple[str, ...] = ()
    session: str = ""
    folder: Path | None = None


@dataclass
class Run:
    """A script that runs or has run.

    Attributes:
        printed: the output of the script up to its address, or all of it if there is none.
        errors: the beginning of its error output.
        mark: marks the processes of the run, so that they can all be ended.
    """

    id: str
    program: Program
    port: int = 0
    url: str = ""
    pid: int = 0
    since: float = field(default_factory=time.time)
    state: State = "starting"
    code: int | None = None
    reason: str = ""
    ring: MessageRing = field(default_factory=MessageRing)
    printed: bytes = b""
    errors: bytes = b""
    mark: str = field(default_factory=lambda: secrets.token_hex(16))
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def summary(self) -> dict[str, Any]:
        """Return the fields of the run in the message `runs`."""
        return {
            "run": self.id,
            "name": self.program.name,
            "file": self.program.file,
            "session": self.program.session,
            "url": self.url,
            "port": self.port,
            "pid": self.pid,
            "since": self.since,
            "state": self.state,
            "seq": self.ring.last_seq,
        }

    async def wait_started(self) -> None:
        """Wait until the script has printed its address, or has ended."""
        while self.state == "starting":
            await self._wait_change()

    async def wait_ended(self) -> None:
        """Wait until the script and its child processes have ended."""
        while self.state != "ended":
            await self._wait_change()

    async def _wait_change(self) -> None:
        self.changed.clear()
        await self.changed.wait()


class Supervisor:
    """Starts, watches and stops the runs of a tour.

    Args:
        idle_seconds: seconds after which runs are stopped if no page is open.
        stop_seconds: seconds that a script may take to end before it is killed; by default
            STOP_SECONDS, or LONG_STOP_SECONDS for lesson 09.

    Attributes:
        runs: the runs by their id: those that run, and the last ones that have ended.
    """

    def __init__(
        self, idle_seconds: float = IDLE_SECONDS, stop_seconds: float | None = None
    ) -> None:
        self.runs: dict[str, Run] = {}
        self._idle_seconds = idle_seconds
        self._stop_seconds = stop_seconds
        self._ids = itertools.count(1)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stops: dict[str, asyncio.Event] = {}
        self._ports: dict[str, int] = {}
        self._viewers: set[Callable[[bool], None]] = set()
        self._idle: asyncio.TimerHandle | None = None

    def add_viewer(self, notify: Callable[[bool], None]) -> None:
        """Call a function when there are new messages; with True if the list of runs changed."""
        self._viewers.add(notify)
        if self._idle:
            self._idle.cancel()
            self._idle = None

    def remove_viewer(self, notify: Callable[[bool], None]) -> None:
        """Undo `add_viewer`; without any viewer the runs are stopped after some time."""
        self._viewers.discard(notify)
        if not self._viewers and not self._idle:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(self._idle_seconds, self._stop_idle)

    def active(self) -> list[Run]:
        """Return the runs that have not ended."""
        return [run for run in self.runs.values() if run.state != "ended"]

    def start(self, program: Program) -> Run:
        """Start a run.

        Raises:
            TooManyRunsError: there are MAX_RUNS already.
        """
        if len(active := self.active()) >= MAX_RUNS:
            names = ", ".join(run.program.name for run in active)
            raise TooManyRunsError(
                translate(
                    "{count} scripts are running: {names}. Stop one of them first.",
                    count=MAX_RUNS,
                    names=names,
                )
            )
        run = Run(str(next(self._ids)), program)
        self.runs[run.id] = run
        self._stops[run.id] = asyncio.Event()
        self._tasks[run.id] = asyncio.create_task(self._supervise(run))
        self._notify(True)
        return run

    async def stop(self, run: Run, reason: str = "") -> None:
        """Stop a run, and wait until its processes have ended."""
        self._request_stop(run, reason or translate("You stopped it."))
        await run.wait_ended()

    async def close(self) -> None:
        """Stop all runs."""
        if self._idle:
            self._idle.cancel()
        reason = translate("The tour has ended.")
        await asyncio.gather(*(self.stop(run, reason) for run in self.active()))
        await asyncio.gather(*self._tasks.values())

    def _stop_idle(self) -> None:
        self._idle = None
        reason = translate(
            "No page was open for {seconds} seconds.", seconds=f"{self._idle_seconds:g}"
        )
        for run in self.active():
            self._request_stop(run, reason)

    def _request_stop(self, run: Run, reason: str) -> None:
        if run.state != "ended" and not self._stops[run.id].is_set():
            run.reason = reason
            self._stops[run.id].set()
            self._change(run, "stopping")

    def _notify(self, list_changed: bool) -> None:
        for notify in [*self._viewers]:
            notify(list_changed)

    def _change(self, run: Run, state: State) -> None:
        run.state = state
        run.changed.set()
        self._notify(True)

    def send(self, run: Run, **message: Any) -> None:
        """Add a message to those of a run."""
        run.ring.append({"type": message.pop("type"), "run": run.id, **message})
        self._notify(False)

    async def _supervise(self, run: Run) -> None:
        """Run the script to its end; then forget the oldest run that has ended."""
        try:
            for attempt in range(1, MAX_PORT_ATTEMPTS + 1):
                run.port = free_port(self._ports.get(run.program.file, 0))
                await self._run_process(run)
                # Another program may take the port between the choice and the start.
                taken = not run.url and PORT_IN_USE.encode() in run.errors
                if not taken or self._stops[run.id].is_set() or attempt == MAX_PORT_ATTEMPTS:
                    break
                self._ports.pop(run.program.file, None)
        except Exception as error:
            run.reason = str(error)
        finally:
            if run.program.folder:
                shutil.rmtree(run.program.folder, ignore_errors=True)
            self._end(run)

    def _end(self, run: Run) -> None:
        if not run.reason:
            run.reason = translate("It ended by itself with exit code {code}.", code=run.code)
        self.send(run, type="ended", code=run.code, reason=run.reason)
        self._change(run, "ended")
        del self._stops[run.id], self._tasks[run.id]
        ended = [each for each in self.runs.values() if each.state == "ended"]
        for old in ended[:-MAX_ENDED]:
            del self.runs[old.id]

    async def _run_process(self, run: Run) -> None:
        run.printed = run.errors = b""
        async with contextlib.AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            file, options = script_on_port(run.program.path, run.port, folder)
            arguments: list[Path | str] = [file, *options, *run.program.options]
            reports = await stack.enter_async_context(_listen_for_reports(run.mark))
            process = await _start_process(stack, [reports.port, *arguments], run.mark)
            run.pid = process.pid
            self._notify(True)
            streams = _Streams(self, run)
            readers = [
                asyncio.create_task(streams.read("stdout", process.stdout)),
                asyncio.create_task(streams.read("stderr", process.stderr)),
                asyncio.create_task(self._read_reports(run, reports)),
            ]
            gather = asyncio.create_task(streams.deliver_regularly())
            try:
                await self._wait_for_end(run, process)
            finally:
                # Windows may have given the id of a process that has ended to another one.
                if sys.platform != "win32" or not process.exited.is_set():
                    kill_tree(process.pid)
                await asyncio.to_thread(kill_marked, RUN_VARIABLE, run.mark)
                # A process that is none of ours may hold the pipes open.
                await asyncio.wait(readers, timeout=LAST_OUTPUT_SECONDS)
                await _cancel([gather, *readers])
            streams.deliver(final=True)
            run.code = process.transport.get_returncode()

    async def _wait_for_end(self, run: Run, process: "_Process") -> None:
        """Wait until the process has ended, by itself or because it was asked to."""
        ended = asyncio.create_task(process.exited.wait())
        asked = asyncio.create_task(self._stops[run.id].wait())
        try:
            await asyncio.wait([ended, asked], return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                _ask_to_end(process)
                await asyncio.wait([ended], timeout=self._time_to_stop(run))
            if not ended.done():
                run.reason += " " + translate("It did not end, so it was killed.")
                kill_tree(process.pid)
                await ended
        finally:
            await _cancel([ended, asked])

    def _time_to_stop(self, run: Run) -> float:
        if self._stop_seconds is not None:
            return self._stop_seconds
        return LONG_STOP_SECONDS if run.program.name.startswith("09/") else STOP_SECONDS

    async def _read_reports(self, run: Run, reports: "_Reports") -> None:
        """Turn the reports of the watchdog into messages."""
        reader = await reports.reader
        while line := await reader.readline():
            with contextlib.suppress(ValueError):  # cut off by the end of the process
                found = json.loads(line)
                if "blocked" in found:
                    self.send(run, type="blocked", seconds=found.pop("blocked"), **found)
                else:
                    self.send(run, type="unblocked", seconds=found["unblocked"])

    def found_address(self, run: Run, url: str) -> None:
        """Record the address that a script has printed."""
        run.url = url
        self._ports[run.program.file] = run.port
        if run.state == "starting":
            self.send(run, type="ready", url=url)
            self._change(run, "ready")


class _Streams:
    """The output of one run: read as it comes, delivered in intervals."""

    def __init__(self, supervisor: Supervisor, run: Run) -> None:
        self._supervisor = supervisor
        self._run = run
        self._buffers = {"stdout": OutputBuffer(), "stderr": OutputBuffer()}
        self._marker = ErrorMarker()
        self._written = asyncio.Event()

    async def read(self, name: str, stream: asyncio.StreamReader | None) -> None:
        """Read a stream to its end."""
        assert stream  # noqa: S101
        while data := await stream.read(READ_BYTES):
            self._buffers[name].write(data)
            self._written.set()
            if name == "stdout" and not self._run.url:
                self._look_for_address(data)
            elif name == "stderr" and len(self._run.errors) < ADDRESS_WITHIN:
                self._run.errors += data[:ADDRESS_WITHIN]

    def _look_for_address(self, data: bytes) -> None:
        if len(self._run.printed) > ADDRESS_WITHIN:
            return
        self._run.printed += data
        found = ADDRESS.search(self._run.printed)
        if found and self._run.printed.find(b"\n", found.end()) >= 0:
            self.deliver()
            self._supervisor.found_address(self._run, found[1].decode("ascii", "replace"))

    async def deliver_regularly(self) -> None:
        """Deliver what was gathered, at most once in each interval."""
        while True:
            await self._written.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self.deliver()

    def deliver(self, final: bool = False) -> None:
        """Deliver what was gathered."""
        self._written.clear()
        for name, buffer in self._buffers.items():
            dropped, text = buffer.read(final)
            if dropped:
                self._supervisor.send(self._run, type="dropped", bytes=dropped)
            parts = self._marker.split(text) if name == "stderr" else [(False, text)]
            for is_error, part in parts:
                if part:
                    stream = "error" if is_error else name
                    self._supervisor.send(self._run, type="output", stream=stream, text=part)


class _Process(asyncio.subprocess.SubprocessStreamProtocol):
    """A process, its output, and the moment of its end.

    `asyncio.subprocess.Process.wait` is not used: up to Python 3.12 it waits for child processes
    that hold the pipes open, too.
    """

    transport: asyncio.SubprocessTransport

    def __init__(self) -> None:
        super().__init__(READ_BYTES, asyncio.get_running_loop())
        self.exited = asyncio.Event()

    @property
    def pid(self) -> int:
        """The id of the process."""
        pid = self.transport.get_pid()
        assert pid  # noqa: S101 - a signal to the group 0 would end the tour itself
        return pid

    def process_exited(self) -> None:
        """Take notice of the end of the process."""
        super().process_exited()
        self.exited.set()


@dataclass
class _Reports:
    """The reports of the watchdog of one run.

    Attributes:
        port: the port on 127.0.0.1.
        reader: the connection of the watchdog.
    """

    port: int
    reader: asyncio.Future[asyncio.StreamReader]


@contextlib.asynccontextmanager
async def _listen_for_reports(mark: str) -> AsyncIterator[_Reports]:
    """Accept the connection that begins with the mark of the run; close all others."""
    found: asyncio.Future[asyncio.StreamReader] = asyncio.get_running_loop().create_future()
    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        given = b""
        with contextlib.suppress(ValueError, OSError):  # a line without end; a lost connection
            given = (await reader.readline()).strip()
        if hmac.compare_digest(given, mark.encode()) and not found.done():
            found.set_result(reader)
        else:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield _Reports(server.sockets[0].getsockname()[1], found)
    finally:
        server.close()
        found.cancel()
        for writer in writers:
            writer.close()


async def _start_process(
    stack: contextlib.AsyncExitStack, arguments: Sequence[Path | str | int], mark: str
) -> _Process:
    """Start Python with the watchdog.

    Its standard input stays open until `stack` ends; the process ends itself when it is closed.
    """
    loop = asyncio.get_running_loop()
    command = [sys.executable, "-u", "-m", "course.tour.watchdog", *map(str, arguments)]
    options: dict[str, Any] = {
        "cwd": ROOT,
        "env": os.environ | {"PYTHON_COLORS": "0", RUN_VARIABLE: mark},
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
    }
    if sys.platform == "win32":
        options |= {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    else:
        # A session of its own, so that its child processes can be ended too.
        options |= {"start_new_session": True}
    transport, process = await loop.subprocess_exec(_Process, *command, **options)
    stack.callback(transport.close)
    process.transport = transport
    return process


def _ask_to_end(process: _Process) -> None:
    """Send SIGTERM to the process group; on Windows Ctrl-Break, which Python can handle."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.transport.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            os.killpg(process.pid, signal.SIGTERM)


async def _cancel(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
