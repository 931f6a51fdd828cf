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
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from course.translation import translate

ROOT = Path(__file__).resolve().parent.parent
GRACE = 2.0  # seconds given to the process to say by itself where it hangs
LOOK = 0.02  # seconds between two looks for what the process has reported

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
    began = time.monotonic()
    if subject.is_file():
        report = _report(check.resolve(), subject.resolve(), timeout, on_failure)
    else:
        report = _problem("import", translate("There is no file {name}.", name=subject))
    problem = report["problem"] and _as_problem(report["problem"])
    failures = [Failure(**failure) for failure in report["failures"]]
    return CheckResult(
        passed=bool(report["tests"]) and not failures and not problem,
        tests=report["tests"],
        failures=failures,
        problem=problem,
        seconds=time.monotonic() - began,
        output=report["output"],
        not_run=report["not_run"],
    )


def _report(
    check: Path, subject: Path, timeout: float, on_failure: Callable[[Failure], None] | None
) -> dict[str, Any]:
    # Files, not pipes: a child that the learner's program left behind would keep a pipe open.
    with contextlib.ExitStack() as files:
        folder = Path(files.enter_context(tempfile.TemporaryDirectory()))
        answer, noise = (files.enter_context((folder / name).open("wb")) for name in ("out", "err"))
        lines = _Lines(files.enter_context((folder / "out").open("rb")))
        failures: list[dict[str, str]] = []

        def look() -> dict[str, Any] | None:
            """Read what is new; return the last report, which is no failure, if it is there."""
            for line in lines.read():
                found = dict(json.loads(line))
                if "problem" in found:
                    return found | {"failures": failures}
                failures.append(found)
                if on_failure:
                    on_failure(Failure(**found))
            return None

        process = start(check, subject, timeout, answer, noise)
        try:
            limit = time.monotonic() + timeout + GRACE
            while (code := process.poll()) is None and time.monotonic() < limit:
                if report := look():
                    return report
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(LOOK)
        finally:
            _end(process)
        if report := look():
            return report
        if code is None:
            message = translate("Still running after {seconds} seconds.", seconds=f"{timeout:g}")
            return _problem("timeout", message) | {"failures": failures}
        last = (folder / "err").read_text("utf-8", "replace")[-1000:].strip()
        message = translate(
            "The program ended before its check did, with exit code {code}.", code=code
        )
        return _problem("crash", f"{message}\n{last}".strip()) | {"failures": failures}


class _Lines:
    """The whole lines of a file to which another process appends."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._begun = b""

    def read(self) -> list[bytes]:
        """Return the lines that are new."""
        *whole, self._begun = (self._begun + self._file.read()).split(b"\n")
        return whole


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
    return {"tests": 0, "not_run": 0, "failures": [], "problem": problem, "output": ""}


def _as_problem(fields: dict[str, Any]) -> Problem:
    file = fields.get("file")
    return Problem(**fields | {"file": Path(file) if file else None})


def _end(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        if process.poll() is None:
            command = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
            subprocess.run(command, capture_output=True, check=False)
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
