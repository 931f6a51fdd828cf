"""Run the check of an exercise on a learner's file, in a process of its own with a time limit.

The learner's code may loop, exit, print or crash: nothing of that reaches the caller, who gets a
`CheckResult`. The process itself is `course.check_process`.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

ROOT = Path(__file__).resolve().parent.parent
GRACE = 2.0  # seconds given to the process to say by itself where it hangs

Kind = Literal["syntax", "import", "timeout", "crash"]


@dataclass(frozen=True)
class Failure:
    """One test that failed; `message` tells, a line each, what was sent, came, was expected."""

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

    `output` is what the learner's program printed in tests that passed; what it printed in one
    that failed is part of that failure's message.
    """

    passed: bool
    tests: int
    failures: list[Failure]
    problem: Problem | None
    seconds: float
    output: str = field(default="")


def run_check(check: Path, subject: Path, timeout: float = 20.0) -> CheckResult:
    """Run the tests in `check` on the learner's file `subject`; `timeout` is in seconds."""
    began = time.monotonic()
    if subject.is_file():
        report = _report(check.resolve(), subject.resolve(), timeout)
    else:
        report = _problem("import", f"There is no file {subject}.")
    problem = report["problem"] and _as_problem(report["problem"])
    failures = [Failure(**failure) for failure in report["failures"]]
    return CheckResult(
        passed=bool(report["tests"]) and not failures and not problem,
        tests=report["tests"],
        failures=failures,
        problem=problem,
        seconds=time.monotonic() - began,
        output=report["output"],
    )


def _report(check: Path, subject: Path, timeout: float) -> dict[str, Any]:
    # Files, not pipes: a child that the learner's program left behind would keep a pipe open.
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as noise:
        process = start(check, subject, timeout, answer, noise)
        try:
            code = process.wait(timeout + GRACE)
        except subprocess.TimeoutExpired:
            return _problem("timeout", f"Still running after {timeout:g} seconds.")
        finally:
            _end(process)
        try:
            return dict(json.loads(_tail(answer, None)))
        except ValueError:
            last = _tail(noise, 1000).strip()
            ended = f"The program ended before its check did, with exit code {code}."
            return _problem("crash", f"{ended}\n{last}".strip())


def start(
    check: Path, subject: Path, timeout: float, answer: IO[bytes], noise: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start the process, which writes its report to `answer`."""
    return subprocess.Popen(
        [sys.executable, "-m", "course.check_process", str(check), str(subject), str(timeout)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=answer,
        stderr=noise,
        start_new_session=True,  # so that it can be ended with all it started
    )


def _problem(kind: Kind, message: str) -> dict[str, Any]:
    problem = {"kind": kind, "message": message}
    return {"tests": 0, "failures": [], "problem": problem, "output": ""}


def _as_problem(fields: dict[str, Any]) -> Problem:
    file = fields.get("file")
    return Problem(**fields | {"file": Path(file) if file else None})


def _tail(file: IO[bytes], size: int | None) -> str:
    end = file.seek(0, os.SEEK_END)
    file.seek(0 if size is None else max(0, end - size))
    return file.read().decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        if process.poll() is None:
            command = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
            subprocess.run(command, capture_output=True, check=False)
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
