"""Run the check of an exercise on a learner's file, in a process of its own with a time limit.

The learner's code may loop, exit, print or crash: nothing of that reaches the caller, who gets a
`CheckResult`. The process itself is `course.checking.worker`.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from course.translation import translate

ROOT = Path(__file__).resolve().parents[2]
GRACE_PERIOD = 2.0  # seconds given to the process to say by itself where it hangs
POLL_INTERVAL = 0.02  # seconds between two reads of what the process has reported

Kind = Literal["syntax", "import", "timeout", "crash"]


@dataclass(frozen=True)
class Failure:
    """One test that failed; `message` tells, a line each, what was sent, received and expected."""

    test: str
    message: str


@dataclass(frozen=True)
class Problem:
    """Why the tests could not be run, or not to their end.

    Attributes:
        kind: syntax: Python cannot read the file; import: it stopped while being loaded, or lacks
            what the check needs; timeout: the limit passed; crash: the program ended or broke.
        file, line, text: the line to look at, with its source, where one is known.
    """

    kind: Kind
    message: str
    file: Path | None = None
    line: int | None = None
    text: str | None = None


@dataclass(frozen=True)
class CheckResult:
    """What a check found. `seconds` is how long it took, with the start of the process.

    `tests` are all tests of the check; `not_run` of them did not run after a failure.
    `output` is what the learner's program printed in tests that passed; what it printed in one
    that failed is part of that failure's message.
    """

    passed: bool
    tests: int
    failures: list[Failure]
    problem: Problem | None
    seconds: float
    output: str = field(default="")
    not_run: int = 0


def run_check(
    check: Path,
    subject: Path,
    timeout: float = 20.0,
    on_failure: Callable[[Failure], None] | None = None,
) -> CheckResult:
    """Run the tests in `check` on the learner's file `subject`.

    Args:
        check, subject: the files.
        timeout: seconds after which the check is ended.
        on_failure: is called with each failure as soon as it is known, while the check goes on.
    """
    started = time.monotonic()
    if subject.is_file():
        report = _run_worker(check.resolve(), subject.resolve(), timeout, on_failure)
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
    check: Path, subject: Path, timeout: float, on_failure: Callable[[Failure], None] | None
) -> dict[str, Any]:
    # Files, not pipes: a child that the learner's program left behind would keep a pipe open.
    with contextlib.ExitStack() as files:
        folder = Path(files.enter_context(tempfile.TemporaryDirectory()))
        result_file = files.enter_context((folder / "out").open("wb"))
        stderr_file = files.enter_context((folder / "err").open("wb"))
        lines = _LineReader(files.enter_context((folder / "out").open("rb")))
        failures: list[dict[str, str]] = []

        def read_results() -> dict[str, Any] | None:
            """Read what is new; return the last report, which is no failure, if it is there."""
            for line in lines.read():
                found = dict(json.loads(line))
                if "problem" in found:
                    return found | {"failures": failures}
                failures.append(found)
                if on_failure:
                    on_failure(Failure(**found))
            return None

        process = start_worker(check, subject, timeout, result_file, stderr_file)
        try:
            limit = time.monotonic() + timeout + GRACE_PERIOD
            while (code := process.poll()) is None and time.monotonic() < limit:
                if report := read_results():
                    return report
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
    """The whole lines of a file to which another process appends."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._unfinished = b""

    def read(self) -> list[bytes]:
        """Return the lines that are new."""
        *whole, self._unfinished = (self._unfinished + self._file.read()).split(b"\n")
        return whole


def start_worker(
    check: Path, subject: Path, timeout: float, result_file: IO[bytes], stderr_file: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start the process, which writes its report to `result_file`."""
    return subprocess.Popen(
        [sys.executable, "-m", "course.checking.worker", str(check), str(subject), str(timeout)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=result_file,
        stderr=stderr_file,
        start_new_session=True,  # so that it can be ended with all it started
    )


def _read_tail(file: Path) -> str:
    """Return the end of a file that a program has written."""
    return file.read_text("utf-8", "replace")[-1000:].strip()


def _failed_report(kind: Kind, message: str) -> dict[str, Any]:
    problem = {"kind": kind, "message": message}
    return {"tests": 0, "not_run": 0, "failures": [], "problem": problem, "output": ""}


def _parse_problem(fields: dict[str, Any]) -> Problem:
    file = fields.get("file")
    return Problem(**fields | {"file": Path(file) if file else None})


def terminate(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        if process.poll() is None:
            command = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
            subprocess.run(command, capture_output=True, check=False)
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
