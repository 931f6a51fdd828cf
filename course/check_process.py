"""The process that `course.checks` starts: python -m course.check_process CHECK SUBJECT SECONDS.

It loads the learner's file and the check, and runs the tests in the order of the file. Each line of
its standard output is a JSON object: {"test", "message"} for each failure, as soon as it is known,
and at the end {"tests", "problem", "output"}.
"""

import gc
import inspect
import io
import json
import linecache
import logging
import os
import signal
import sys
import threading
import time
import traceback
import types
import unittest
import warnings
from collections import deque
from pathlib import Path
from typing import Any, NoReturn

from course.checks import Kind
from course.exercise_case import ExerciseCase, Mismatch, Unusable, in_parts
from course.translation import translate

KEPT = 20  # lines of what the program printed or logged that are shown
PATIENCE = 0.8  # seconds after which a check ends with its first failing test

# What to do about an exception that a file raises while it is loaded: part of its text, advice.
AT_IMPORT = {
    "cannot import name 'HTTPTimeoutError' from 'tornado.httpclient'": (
        "It is in another module: from tornado.simple_httpclient import HTTPTimeoutError"
    ),
    "unsupported operand type(s) for |: 'type' and": (
        "A class attribute of yours has the name of a type, as in bytes = 0, and hides that type.\n"
        "Set it on self in a method instead: self.bytes = 0"
    ),
    "unsupported operand type(s) for |: 'int' and": (
        "A class attribute of yours has the name of a type, as in str = 0, and hides that type.\n"
        "Set it on self in a method instead: self.str = 0"
    ),
}

ErrorInfo = Any  # what unittest hands to a result: sys.exc_info()


class Stopped(Exception):
    """The tests cannot go on; `problem` has the fields of `course.checks.Problem`."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem["message"])
        self.problem = problem


class Printed(io.TextIOBase):
    """Stands in for sys.stdout and sys.stderr; keeps the last lines, however many there are."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque([""], maxlen=KEPT + 1)

    def write(self, text: str) -> int:
        for number, line in enumerate(text.split("\n")):
            if number == 0:
                self.lines[-1] = (self.lines[-1] + line)[:500]
            else:
                self.lines.append(line[:500])
        return len(text)

    def take(self) -> str:
        """Return what was kept, and forget it."""
        text = "\n".join(self.lines).rstrip()
        self.lines.clear()
        self.lines.append("")
        return text


class Log(logging.Handler):
    """Keeps what Tornado and asyncio report while a test runs: mostly the learner's exceptions."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.errors: list[BaseException] = []
        self.notes: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            self.errors.append(record.exc_info[1])
        elif record.name != "tornado.access":  # the answer says as much
            self.notes.append(record.getMessage())

    def warn(
        self, message: Warning | str, category: type[Warning], *_: object, **__: object
    ) -> None:
        if issubclass(category, RuntimeWarning):  # "coroutine ... was never awaited"
            self.notes.append(f"{category.__name__}: {message}")

    def take(self) -> tuple[list[BaseException], list[str]]:
        errors, notes = self.errors, self.notes
        self.errors, self.notes = [], []
        return errors, notes


class Outcome(unittest.TestResult):
    """Turns what the tests find into failures that a beginner can read."""

    def __init__(self, subject: Path, printed: Printed, log: Log, report: "Report") -> None:
        super().__init__()
        self.subject, self.printed, self.log, self.report = subject, printed, log, report
        self.told: list[dict[str, str]] = []
        self.output: list[str] = []
        self.problem: dict[str, Any] | None = None
        self.begun = time.monotonic()

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        if self.testsRun == 1:
            self.begun = time.monotonic()

    @property
    def tests(self) -> int:
        return self.testsRun - len(self.skipped)

    def addFailure(self, test: unittest.TestCase, err: ErrorInfo) -> None:
        self._add(test, err)

    def addError(self, test: unittest.TestCase, err: ErrorInfo) -> None:
        self._add(test, err)

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: ErrorInfo | None
    ) -> None:
        if err:
            self._add(test, err)

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        self.log.take()
        if printed := self.printed.take():
            self.output.append(printed)

    def _add(self, test: unittest.TestCase, err: ErrorInfo) -> None:
        error = err[1]
        if isinstance(error, Unusable):
            self.problem = unusable(self.subject, error)
            self.stop()
            return
        # A coroutine that was never awaited is told when it goes: one in a cycle, such as that of a
        # handler and its request, only when the collector finds it.
        gc.collect()
        raised, notes = self.log.take()
        hints = [("your code", self._source(each)) for each in raised[:2] if each is not error]
        hints += [("logged", "\n".join(notes[:3])), ("printed", self.printed.take())]
        name = translate(test.id().rpartition(".")[2].removeprefix("test_").replace("_", " "))
        advice = error.advice if isinstance(error, Mismatch) else ""
        parts = [self._what(error), in_parts(dict.fromkeys(hints)), advice]
        message = "\n".join(filter(None, parts))
        failure = {"test": name, "message": message}
        if failure not in self.told:  # tornado.testing raises an exit a second time in tearDown
            self.told.append(failure)
            self.report.write(failure)
        # A wrong answer often makes each of the following tests wait in vain as well.
        if time.monotonic() - self.begun > PATIENCE:
            self.stop()

    def _what(self, error: BaseException) -> str:
        if isinstance(error, Mismatch):
            return error.facts
        if isinstance(error, AssertionError):
            return in_parts([("failed", str(error))])
        if isinstance(error, SystemExit):
            return in_parts(
                [
                    ("received", translate("the program ended itself")),
                    ("your code", self._source(error)),
                ]
            )
        return in_parts([("received", self._source(error))])

    def _source(self, error: BaseException) -> str:
        """The line of the learner's file that raised, where there is one, and what it raised."""
        frame = own_frame(self.subject, error)
        told = f"{type(error).__name__}: {error}".rstrip(": ")
        if isinstance(error, TypeError) and "'await' expression" in str(error):
            # Tornado awaits whatever a method of a handler returns, unless it is None.
            told += "\n" + translate(
                "A method of your handler has returned a value; it must return nothing.\n"
                "If it was meant to call a function, are the parentheses missing, as in self.get()?"
            )
        if not frame:
            return told
        where = translate("{file}, line {number}", file=self.subject.name, number=frame.lineno)
        return f"{where}, in {frame.name}\n  {frame.line}\n{told}"


def own_frame(file: Path, error: BaseException) -> traceback.FrameSummary | None:
    """Return the innermost frame of `error` that is in `file`."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((each for each in reversed(frames) if each.filename == str(file)), None)


def problem(
    kind: Kind, message: str, file: Path, line: int | None = None, text: str | None = None
) -> dict[str, Any]:
    if line and text is None:
        text = linecache.getline(str(file), line)
    fields = {"kind": kind, "message": message, "file": str(file), "line": line}
    return fields | {"text": text.strip() if text else None}


def raised(kind: Kind, message: str, file: Path, error: BaseException) -> dict[str, Any]:
    frame = own_frame(file, error)
    return problem(kind, message, file, frame.lineno if frame else None)


def unusable(subject: Path, error: Unusable) -> dict[str, Any]:
    if error.__cause__:
        return raised("crash", str(error), subject, error.__cause__)
    return problem("import", str(error), subject, error.line)


def load(path: Path) -> types.ModuleType:
    """Run the file at `path` as a module and return it; raises whatever the file raises.

    Not by an import: that might take a stale .pyc for a file saved twice within a second.
    """
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    code = compile(path.read_bytes(), str(path), "exec")
    sys.modules[path.stem] = module
    exec(code, module.__dict__)  # noqa: S102
    return module


def load_subject(path: Path) -> types.ModuleType:
    """Return the learner's file as a module, or raise `Stopped` and say why it cannot be one."""
    sys.path.append(str(path.parent))  # last, so that no file of the learner hides a library
    try:
        return load(path)
    except SyntaxError as error:
        file = Path(error.filename or path)
        fields = problem("syntax", f"{type(error).__name__}: {error.msg}", file, error.lineno)
        raise Stopped(
            fields | {"text": error.text.strip() if error.text else fields["text"]}
        ) from None
    except SystemExit as error:
        message = translate("The file ends the program while it is being loaded.")
        raise Stopped(raised("crash", message, path, error)) from None
    except BaseException as error:
        message = f"{type(error).__name__}: {error}".rstrip(": ")
        for part, advice in AT_IMPORT.items():
            if part in message:
                message += "\n" + translate(advice)
        raise Stopped(raised("import", message, path, error)) from None


class InOrder(unittest.TestLoader):
    """Finds the tests of a class in the order they are written, the simplest first."""

    def getTestCaseNames(self, testCaseClass: type[unittest.TestCase]) -> list[str]:
        def line(name: str) -> int:
            method: types.FunctionType = inspect.unwrap(getattr(testCaseClass, name))
            return method.__code__.co_firstlineno

        return sorted(super().getTestCaseNames(testCaseClass), key=line)


class Report:
    """Writes the JSON objects; the last one ends the process, whatever threads are left."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # what the learner's own children print must not mix with it

    def write(self, fields: dict[str, Any]) -> None:
        """Write one object, which the runner sees at once."""
        with self._lock:
            self._write(fields)

    def end(self, **fields: Any) -> NoReturn:
        """Write the last object and end the process."""
        with self._lock:  # the first to come ends the process
            empty: dict[str, Any] = {"tests": 0, "not_run": 0, "problem": None, "output": ""}
            self._write(empty | fields)
            os._exit(0)

    def _write(self, fields: dict[str, Any]) -> None:
        self._channel.write(json.dumps(fields) + "\n")
        self._channel.flush()


def main(check: Path, subject: Path, timeout: float) -> NoReturn:
    report, printed, log = Report(), Printed(), Log()
    sys.stdout = sys.stderr = printed
    logging.getLogger().addHandler(log)
    warnings.simplefilter("always", RuntimeWarning)  # again in each test, not once a line
    warnings.showwarning = log.warn
    sys.dont_write_bytecode = True
    os.environ["PYTHON_COLORS"] = "0"  # what the learner's programs write is shown as it is
    # Started with `&` from a shell script, it would ignore SIGINT, and so would the programs that
    # it starts and ends by that signal. Ctrl-C does not reach this process: see start_new_session.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    outcome = Outcome(subject, printed, log, report)

    def stop(fields: dict[str, Any]) -> NoReturn:
        """Report a problem, with what was printed on the way to it."""
        message = "\n".join(
            filter(None, [fields["message"], in_parts([("printed", printed.take())])])
        )
        report.end(tests=outcome.tests, problem=fields | {"message": message})

    def too_late() -> None:
        stack = traceback.extract_stack(sys._current_frames()[threading.main_thread().ident or 0])
        line = next(
            (each.lineno for each in reversed(stack) if each.filename == str(subject)), None
        )
        message = translate("Still running after {seconds} seconds.", seconds=f"{timeout:g}")
        stop(problem("timeout", message, subject, line))

    watchdog = threading.Timer(timeout, too_late)
    watchdog.daemon = True
    watchdog.start()

    try:
        ExerciseCase.subject = load_subject(subject)
    except Stopped as stopped:
        stop(stopped.problem)
    try:
        suite = InOrder().loadTestsFromModule(load(check))
        found = suite.countTestCases()
        suite.run(outcome)
    except BaseException as error:
        told = f"{type(error).__name__}: {error}"
        message = translate("The check could not be run: {error}", error=told)
        stop(raised("crash", message, check, error))
    if outcome.problem:
        stop(outcome.problem)
    if not outcome.tests:
        stop(problem("crash", translate("The check has no test that could be run."), check))
    not_run = found - outcome.testsRun
    report.end(tests=outcome.tests + not_run, not_run=not_run, output="\n".join(outcome.output))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
