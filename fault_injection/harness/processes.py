"""Programs in processes of their own, and the chat as one of them."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from course.ports import is_listening
from fault_injection.harness.context import (
    Context,
    FaultError,
    wait_until,
    wait_until_async,
)

ROOT = Path(__file__).resolve().parents[2]


class Process:
    """A program that runs until it is stopped, such as a server.

    Args:
        context: the context of the scenario; the process is killed with it.
        name: name of the log file, also used in messages.
    """

    def __init__(self, context: Context, name: str) -> None:
        self.name = name
        self.log = context.folder / f"{name}.log"
        self._process: asyncio.subprocess.Process | None = None
        context.stack.push_async_callback(self.kill)

    async def spawn(
        self,
        *command: str | Path,
        stdout: int | None = None,
        stderr: int | None = None,
        **more: Any,
    ) -> None:
        """Start the process. Its output is appended to the log, unless it is redirected."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *map(str, command), stdout=stdout or log, stderr=stderr or log, **more
            )

    async def read_line(self, seconds: float = 60) -> str:
        """Return the next line on standard output, which must be a pipe.

        Raises:
            FaultError: standard output is not a pipe.
            TimeoutError: no line came within `seconds`.
        """
        if self.process.stdout is None:
            raise FaultError(f"{self.name} prints into its log")
        return (await asyncio.wait_for(self.process.stdout.readline(), seconds)).decode()

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The process that was started last.

        Raises:
            FaultError: none was started.
        """
        if self._process is None:
            raise FaultError(f"{self.name} was never started")
        return self._process

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def wait_until_listening(self, port: int) -> None:
        """Wait until the process listens on a port.

        Raises:
            FaultError: it has ended, or it does not listen after 30 s.
        """

        async def is_listening_now() -> bool:
            return is_listening(port)

        await self.wait_until_ready(f"{self.name} listens", is_listening_now)

    async def wait_until_ready(
        self, what: str, condition: Callable[[], Awaitable[bool]], seconds: float = 30
    ) -> None:
        """Wait until a condition is true; otherwise as `wait_until_listening`."""

        async def is_ready() -> bool:
            if not self.is_running:
                raise FaultError(f"{self.name} has ended")
            return await condition()

        try:
            await wait_until_async(what, is_ready, seconds)
        except FaultError as error:
            raise FaultError(f"{error}; the end of its log:\n{self.read_log()[-2000:]}") from None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self.process.send_signal(number)

    async def stop(self, seconds: float = 30) -> int:
        """Send SIGTERM, wait for the end, and return the exit code."""
        self.signal(signal.SIGTERM)
        return await self.wait(seconds)

    async def wait(self, seconds: float = 60) -> int:
        """Wait until the process has ended, and return the exit code.

        Raises:
            TimeoutError: it still runs after `seconds`.
        """
        return await asyncio.wait_for(self.process.wait(), seconds)

    async def kill(self) -> None:
        """Send SIGKILL and wait for the end. Idempotent."""
        if self.is_running:
            self.process.kill()
            await self.process.wait()

    def read_log(self) -> str:
        """Return the text of the log; empty before the first start."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


@dataclass(frozen=True)
class Usage:
    """The resources of a chat process."""

    kib: int
    """Resident memory in KiB."""
    fds: int
    threads: int
    tasks: int
    sockets: int
    """Connections of clients."""


def is_uncaught_error(line: str) -> bool:
    """Return whether a line of a chat's log reports an uncaught exception."""
    if not line.startswith("{"):
        return True
    entry = json.loads(line)
    if entry["logger"] == "chat.uncaught":  # also warnings of Python
        return True
    # SQLAlchemy logs a traceback when a connection breaks while it is returned to the pool.
    return "traceback" in entry and entry["logger"] != "sqlalchemy.pool.impl.QueuePool"


class ChatProcess(Process):
    """A process of `instrumented_chat`. It keeps its port over restarts.

    Args:
        context: the context of the scenario; the process is killed with it.
        name: name of the log file, also used in messages.
        options: options of the command line.
        environment: environment variables of `instrumented_chat`.
    """

    def __init__(self, context: Context, name: str, *options: str, **environment: str) -> None:
        super().__init__(context, name)
        self.port = 0
        self.options = options
        self.environment = {**os.environ, **environment}
        self.idle: Usage | None = None
        """The resources after the first start, before the first client."""

    @property
    def url(self) -> str:
        """Scheme, host and port of the chat."""
        return f"http://127.0.0.1:{self.port}"

    async def start(
        self, *more: str, stderr: int | None = None, preexec_fn: Callable[[], None] | None = None
    ) -> "ChatProcess":
        """Start the chat and wait until it listens.

        Args:
            more: further options of the command line.
            stderr: file descriptor for the log, instead of the log file.
            preexec_fn: called in the new process before the chat starts.

        Raises:
            FaultError: it did not start.
        """
        await self.spawn(
            *(sys.executable, "-m", "fault_injection.harness.instrumented_chat"),
            *(f"--port={self.port}", "--address=127.0.0.1", "--logging=warning"),
            *self.options,
            *more,
            cwd=ROOT,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            preexec_fn=preexec_fn,
        )
        found = re.search(r"Open http://127\.0\.0\.1:(\d+)", await self.read_line())
        if found is None:
            raise FaultError(f"{self.name} did not start: {self.read_log()[-2000:]}")
        self.port = int(found[1])
        if self.idle is None:
            self.idle = await self.usage()
        return self

    def log_entries(self, level: str) -> list[dict[str, Any]]:
        """Return the log entries of a level."""
        entries = [
            json.loads(line) for line in self.read_log().splitlines() if line.startswith("{")
        ]
        return [line for line in entries if line["level"] == level]

    def uncaught_errors(self) -> list[str]:
        """Return the lines of the log that report an uncaught exception."""
        return [line for line in self.read_log().splitlines() if is_uncaught_error(line)]

    async def usage(self) -> Usage:
        """Return the resources that the process holds now."""
        figures = await self.read_monitor()
        process = psutil.Process(self.pid)
        with process.oneshot():
            return Usage(
                kib=process.memory_info().rss // 1024,
                fds=process.num_fds(),
                threads=process.num_threads(),
                tasks=figures["tasks"],
                sockets=self.client_connections(),
            )

    def client_connections(self) -> int:
        """Return the number of connections of clients, half-closed ones included."""
        return sum(
            connection.laddr.port == self.port and connection.status != psutil.CONN_LISTEN
            for connection in psutil.Process(self.pid).net_connections("tcp")
        )

    async def read_monitor(self) -> dict[str, int]:
        """Return the number of tasks, and the longest turn of the loop since the previous call.

        The keys are `tasks` and `held_ms`, which is in milliseconds.
        """
        count = self.read_log().count('"held_ms"')
        self.signal(signal.SIGUSR1)
        await wait_until(f"{self.name} reports", lambda: self.read_log().count('"held_ms"') > count)
        entry = [line for line in self.log_entries("warning") if "held_ms" in line][-1]
        return {name: int(entry[name]) for name in ("tasks", "held_ms")}
