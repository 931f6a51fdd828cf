"""The process of a check: python -m course.checking.worker CHECK SUBJECT SECONDS [FAIL_FAST_AFTER].

`course.checking.runner` starts it. It loads the learner's file and the check, and runs the tests in
the order of the file. Each line of
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

from course.checking.runner import Kind
from course.testing.http import ExerciseCase, InvalidSubmission, Mismatch, format_sections
from course.translation import translate

MAX_LINES = 20  # lines of what the program printed or logged that are shown
FAIL_FAST_AFTER = 0.8  # seconds after which a check ends with its first failing test

# What to do about an exception that a file raises while it is loaded: part of its text, advice.
IMPORT_ADVICE = {
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


class CheckAborted(Exception):
    """The tests cannot go on; `problem` has the fields of `course.checking.runner.Problem`."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem["message"])
        self.problem = problem


class OutputCapture(io.TextIOBase):
    """Stands in for sys.stdout and sys.stderr; keeps the last lines, however many there are."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque([""], maxlen=MAX_LINES + 1)

    def write(self, text: str) -> int:
        for number, line in enumerate(text.split("\n")):
            if number == 0:
                self.lines[-1] = (self.lines[-1] + line)[:500]
            else:
                self.lines.append(line[:500])
        return len(text)

    def drain(self) -> str:
        """Return what was kept, and forget it."""
        text = "\n".join(self.lines).rstrip()
        self.lines.clear()
        self.lines.append("")
        return text


class LogCapture(logging.Handler):
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

    def drain(self) -> tuple[list[BaseException], list[str]]:
        errors, notes = self.errors, self.notes
        self.errors, self.notes = [], []
        return errors, notes


class ReadableResult(unittest.TestResult):
    """Turns what the tests find into failures that a beginner can read."""

    def __init__(
        self, subject: Path, capture: OutputCapture, log: LogCapture, channel: "ResultChannel"
    ) -> None:
        super().__init__()
        self.subject, self.capture, self.log, self.channel = subject, capture, log, channel
        self.reported: list[dict[str, str]] = []
        self.output: list[str] = []
        self.problem: dict[str, Any] | None = None
        self.started = time.monotonic()

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        if self.testsRun == 1:
            self.started = time.monotonic()

    @property
    def test_count(self) -> int:
        return self.testsRun - len(self.skipped)

    def addFailure(self, test: unittest.TestCase, err: ErrorInfo) -> None:
        self._record(test, err)

    def addError(self, test: unittest.TestCase, err: ErrorInfo) -> None:
        self._record(test, err)

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: ErrorInfo | None
    ) -> None:
        if err:
            self._record(test, err)

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        self.log.drain()
        if printed := self.capture.drain():
            self.output.append(printed)

    def _record(self, test: unittest.TestCase, err: ErrorInfo) -> None:
        error = err[1]
        if isinstance(error, InvalidSubmission):
            self.problem = problem_from_submission(self.subject, error)
            self.stop()
            return
        # A coroutine that was never awaited is told when it goes: one in a cycle, such as that of a
        # handler and its request, only when the collector finds it.
        gc.collect()
        logged, notes = self.log.drain()
        others = [each for each in logged[:2] if each is not error]
        hints = [("your code", self._describe_error(each)) for each in others]
        hints += [("logged", "\n".join(notes[:3])), ("printed", self.capture.drain())]
        name = translate(test.id().rpartition(".")[2].removeprefix("test_").replace("_", " "))
        advice = error.advice if isinstance(error, Mismatch) else ""
        parts = [self._describe(error), format_sections(dict.fromkeys(hints)), advice]
        message = "\n".join(filter(None, parts))
        failure = {"test": name, "message": message}
        if failure not in self.reported:  # tornado.testing raises an exit a second time in tearDown
            self.reported.append(failure)
            self.channel.write(failure)
        # A wrong answer often makes each of the following tests wait in vain as well.
        if time.monotonic() - self.started > FAIL_FAST_AFTER:
            self.stop()

    def _describe(self, error: BaseException) -> str:
        if isinstance(error, Mismatch):
            return error.facts
        if isinstance(error, AssertionError):
            return format_sections([("failed", str(error))])
        if isinstance(error, SystemExit):
            return format_sections(
                [
                    ("received", translate("the program ended itself")),
                    ("your code", self._describe_error(error)),
                ]
            )
        return format_sections([("received", self._describe_error(error))])

    def _describe_error(self, error: BaseException) -> str:
        """The line of the learner's file that raised, where there is one, and what it raised."""
        frame = learner_frame(self.subject, error)
        description = f"{type(error).__name__}: {error}".rstrip(": ")
        if isinstance(error, TypeError) and "'await' expression" in str(error):
            # Tornado awaits whatever a method of a handler returns, unless it is None.
            description += "\n" + translate(
                "A method of your handler has returned a value; it must return nothing.\n"
                "If it was meant to call a function, are the parentheses missing, as in self.get()?"
            )
        if not frame:
            return description
        where = translate("{file}, line {number}", file=self.subject.name, number=frame.lineno)
        return f"{where}, in {frame.name}\n  {frame.line}\n{description}"


def learner_frame(file: Path, error: BaseException) -> traceback.FrameSummary | None:
    """Return the innermost frame of `error` that is in `file`."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((each for each in reversed(frames) if each.filename == str(file)), None)


def make_problem(
    kind: Kind, message: str, file: Path, line: int | None = None, text: str | None = None
) -> dict[str, Any]:
    if line and text is None:
        text = linecache.getline(str(file), line)
    fields = {"kind": kind, "message": message, "file": str(file), "line": line}
    return fields | {"text": text.strip() if text else None}


def problem_from_exception(
    kind: Kind, message: str, file: Path, error: BaseException
) -> dict[str, Any]:
    frame = learner_frame(file, error)
    return make_problem(kind, message, file, frame.lineno if frame else None)


def problem_from_submission(subject: Path, error: InvalidSubmission) -> dict[str, Any]:
    if error.__cause__:
        return problem_from_exception("crash", str(error), subject, error.__cause__)
    return make_problem("import", str(error), subject, error.line)


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
    """Return the learner's file as a module, or raise `CheckAborted`."""
    sys.path.append(str(path.parent))  # last, so that no file of the learner hides a library
    try:
        return load(path)
    except SyntaxError as error:
        file = Path(error.filename or path)
        fields = make_problem("syntax", f"{type(error).__name__}: {error.msg}", file, error.lineno)
        raise CheckAborted(
            fields | {"text": error.text.strip() if error.text else fields["text"]}
        ) from None
    except SystemExit as error:
        message = translate("The file ends the program while it is being loaded.")
        raise CheckAborted(problem_from_exception("crash", message, path, error)) from None
    except BaseException as error:
        message = f"{type(error).__name__}: {error}".rstrip(": ")
        for part, advice in IMPORT_ADVICE.items():
            if part in message:
                message += "\n" + translate(advice)
        raise CheckAborted(problem_from_exception("import", message, path, error)) from None


class DefinitionOrderLoader(unittest.TestLoader):
    """Finds the tests of a class in the order they are written, the simplest first."""

    def getTestCaseNames(self, testCaseClass: type[unittest.TestCase]) -> list[str]:
        def line(name: str) -> int:
            method: types.FunctionType = inspect.unwrap(getattr(testCaseClass, name))
            return method.__code__.co_firstlineno

        return sorted(super().getTestCaseNames(testCaseClass), key=line)


class ResultChannel:
    """Writes the JSON objects; the last one ends the process, whatever threads are left."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
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
        self._stream.write(json.dumps(fields) + "\n")
        self._stream.flush()


def main(check: Path, subject: Path, timeout: float) -> NoReturn:
    channel, capture, log = ResultChannel(), OutputCapture(), LogCapture()
    sys.stdout = sys.stderr = capture
    logging.getLogger().addHandler(log)
    warnings.simplefilter("always", RuntimeWarning)  # again in each test, not once a line
    warnings.showwarning = log.warn
    sys.dont_write_bytecode = True
    os.environ["PYTHON_COLORS"] = "0"  # what the learner's programs write is shown as it is
    # Started with `&` from a shell script, it would ignore SIGINT, and so would the programs that
    # it starts and ends by that signal. Ctrl-C does not reach this process: see start_new_session.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    result = ReadableResult(subject, capture, log, channel)

    def abort(fields: dict[str, Any]) -> NoReturn:
        """Report a problem, with what was printed on the way to it."""
        message = "\n".join(
            filter(None, [fields["message"], format_sections([("printed", capture.drain())])])
        )
        channel.end(tests=result.test_count, problem=fields | {"message": message})

    def on_timeout() -> None:
        stack = traceback.extract_stack(sys._current_frames()[threading.main_thread().ident or 0])
        line = next(
            (each.lineno for each in reversed(stack) if each.filename == str(subject)), None
        )
        message = translate("Still running after {seconds} seconds.", seconds=f"{timeout:g}")
        abort(make_problem("timeout", message, subject, line))

    watchdog = threading.Timer(timeout, on_timeout)
    watchdog.daemon = True
    watchdog.start()

    try:
        ExerciseCase.subject = load_subject(subject)
    except CheckAborted as aborted:
        abort(aborted.problem)
    try:
        suite = DefinitionOrderLoader().loadTestsFromModule(load(check))
        found = suite.countTestCases()
        suite.run(result)
    except BaseException as error:
        description = f"{type(error).__name__}: {error}"
        message = translate("The check could not be run: {error}", error=description)
        abort(problem_from_exception("crash", message, check, error))
    if result.problem:
        abort(result.problem)
    if not result.test_count:
        abort(make_problem("crash", translate("The check has no test that could be run."), check))
    not_run = found - result.testsRun
    channel.end(tests=result.test_count + not_run, not_run=not_run, output="\n".join(result.output))


if __name__ == "__main__":
    if len(sys.argv) > 4:
        FAIL_FAST_AFTER = float(sys.argv[4])
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
