"""Run the check of an exercise on a learner's file, in a separate process with a time limit.

The learner's code may loop, exit, print or crash. The caller gets a `CheckResult` in each case. The
separate process is `course.checking.worker`.
"""

import contextlib
import functools
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from course.processes import kill_tree
from course.translation import translate

ROOT = Path(__file__).resolve().parents[2]
GRACE_PERIOD = 2.0  # seconds after the time limit for the worker to report the line that hangs
POLL_INTERVAL = 0.02  # seconds between two reads of the worker's report

Kind = Literal["syntax", "import", "timeout", "crash"]
StartWorker = Callable[[Path, Path, float, IO[bytes], IO[bytes]], subprocess.Popen[bytes]]
"""Starts a worker process with the arguments of `start_worker`."""


@dataclass(frozen=True)
class Failure:
    """A test that failed.

    Attributes:
        test: the test's name, in words.
        message: the lines of the report: what was sent, received and expected, and advice.
        line: the line of the learner's code that raised, if known.
    """

    test: str
    message: str
    line: int | None = None


@dataclass(frozen=True)
class Problem:
    """The reason why the tests could not be run, or not to their end.

    Attributes:
        kind: syntax: Python cannot parse the file; import: loading the file raised an exception,
            or the file lacks a name that the check needs; timeout: the time limit passed; crash:
            the program ended, or the check itself failed.
        message: the explanation for the learner.
        file, line, text: the line of the learner's code, with its source, if known.
    """

    kind: Kind
    message: str
    file: Path | None = None
    line: int | None = None
    text: str | None = None


@dataclass(frozen=True)
class CheckResult:
    """The result of a check.

    Attributes:
        passed: whether all tests ran and passed.
        tests: the number of tests in the check.
        failures: the tests that failed. Output of the learner's program in such a test is part of
            the failure's message.
        problem: the reason why the check did not run to its end, or None.
        seconds: the duration, including the start of the process.
        output: output of the learner's program in tests that passed.
        not_run: the number of tests that did not run after a failure.
    """

    passed: bool
    tests: int
    failures: list[Failure]
    problem: Problem | None
    seconds: float
    output: str = field(default="")
    not_run: int = 0


class CheckCancelledError(Exception):
    """The check was ended, because its result is not wanted any more."""


def run_check(
    check: Path,
    subject: Path,
    timeout: float = 20.0,
    on_failure: Callable[[Failure], None] | None = None,
    cancelled: threading.Event | None = None,
    start: StartWorker | None = None,
) -> CheckResult:
    """Run the tests of a check on the learner's file.

    Args:
        check: the file with the tests.
        subject: the learner's file.
        timeout: seconds after which the check is ended.
        on_failure: called with each failure as soon as it is known, while the check goes on.
        cancelled: ends the check when it is set by another thread.
        start: starts the worker process; by default `start_worker`.

    Raises:
        CheckCancelledError: `cancelled` was set before the end of the check.
    """
    started = time.monotonic()
    if subject.is_file():
        cancelled = cancelled or threading.Event()
        report = _run_worker(
            functools.partial(start or start_worker, check.resolve(), subject.resolve(), timeout),
            timeout,
            on_failure,
            cancelled,
        )
    else:
        report = _failed_report("import", translate("There is no file {name}.", name=subject))
    problem = report["problem"] and _parse_problem(report["problem"])
    failures = [Failure(**failure) for failure in report["failures"]]
    return CheckResult(
        passed=bool(report["tests"]) and not failures and not problem,
        tests=report["tests"],
        failures=failures,
        problem=problem,
        seconds=time.monotonic() - started,
        output=report["output"],
        not_run=report["not_run"],
    )


def _run_worker(
    start: Callable[[IO[bytes], IO[bytes]], subprocess.Popen[bytes]],
    timeout: float,
    on_failure: Callable[[Failure], None] | None,
    cancelled: threading.Event,
) -> dict[str, Any]:
    # Files, not pipes: a child process that outlives the learner's program keeps a pipe open.
    with contextlib.ExitStack() as files:
        folder = Path(files.enter_context(tempfile.TemporaryDirectory()))
        result_file = files.enter_context((folder / "out").open("wb"))
        stderr_file = files.enter_context((folder / "err").open("wb"))
        lines = _LineReader(files.enter_context((folder / "out").open("rb")))
        failures: list[dict[str, Any]] = []
        # The limit is set again when the worker has loaded its modules, which may take seconds.
        limit = time.monotonic() + timeout + GRACE_PERIOD

        def read_results() -> dict[str, Any] | None:
            """Read new lines; return the final report if it has arrived, None otherwise."""
            nonlocal limit
            for line in lines.read():
                found = dict(json.loads(line))
                if "started" in found:
                    limit = time.monotonic() + timeout + GRACE_PERIOD
                    continue
                if "problem" in found:
                    return found | {"failures": failures}
                failures.append(found)
                if on_failure:
                    on_failure(Failure(**found))
            return None

        process = start(result_file, stderr_file)
        try:
            while (code := process.poll()) is None and time.monotonic() < limit:
                if report := read_results():
                    return report
                if cancelled.is_set():
                    raise CheckCancelledError
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_INTERVAL)
        finally:
            terminate(process)
        if report := read_results():
            return report
        if code is None:
            message = translate("Still running after {seconds} seconds.", seconds=f"{timeout:g}")
            return _failed_report("timeout", message) | {"failures": failures}
        message = translate(
            "The program ended before its check did, with exit code {code}.", code=code
        )
        return _failed_report("crash", f"{message}\n{_read_tail(folder / 'err')}".strip()) | {
            "failures": failures
        }


class _LineReader:
    """Reads complete lines from a file to which another process appends."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._unfinished = b""

    def read(self) -> list[bytes]:
        """Return the lines that were completed since the last call."""
        *whole, self._unfinished = (self._unfinished + self._file.read()).split(b"\n")
        return whole


def start_worker(
    check: Path, subject: Path, timeout: float, result_file: IO[bytes], stderr_file: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start the worker process, which writes its report to `result_file`."""
    return subprocess.Popen(
        [sys.executable, "-m", "course.checking.worker", str(check), str(subject), str(timeout)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=result_file,
        stderr=stderr_file,
        start_new_session=True,  # so that its child processes can be ended too
    )


class SpareWorker:
    """A worker process that has loaded its modules, and waits for a check.

    A check starts about 0.2 s earlier with it. The process ends when it gets no check.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "course.checking.worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def start(
        self,
        check: Path,
        subject: Path,
        timeout: float,
        result_file: IO[bytes],
        stderr_file: IO[bytes],
    ) -> subprocess.Popen[bytes]:
        """Give the process its check; if it has ended, start another one."""
        names = [str(check), str(subject), str(timeout), result_file.name, stderr_file.name]
        try:
            assert self._process.stdin  # noqa: S101
            with self._process.stdin as stdin:
                stdin.write(json.dumps(names).encode() + b"\n")
        except OSError:
            terminate(self._process)
            return start_worker(check, subject, timeout, result_file, stderr_file)
        return self._process

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin  # noqa: S101
        self._process.stdin.close()
        terminate(self._process)


def _read_tail(file: Path) -> str:
    """Return the last 1000 characters of a program's output file."""
    return file.read_text("utf-8", "replace")[-1000:].strip()


def _failed_report(kind: Kind, message: str) -> dict[str, Any]:
    problem = {"kind": kind, "message": message}
    return {"tests": 0, "not_run": 0, "failures": [], "problem": problem, "output": ""}


def _parse_problem(fields: dict[str, Any]) -> Problem:
    file = fields.get("file")
    return Problem(**fields | {"file": Path(file) if file else None})


def terminate(process: subprocess.Popen[bytes]) -> None:
    """Kill a worker process and its child processes, and wait for its end."""
    # Windows may have given the id of a process that has ended to another one.
    if sys.platform != "win32" or process.poll() is None:
        kill_tree(process.pid)
    process.wait()
