"""Worker process: python -m course.checking.worker CHECK SUBJECT SECONDS [FAIL_FAST_AFTER].

`course.checking.runner` starts this process. The process loads the learner's file and the check,
and runs the tests in the order of the file. Each line of its standard output is a JSON object:
{"started"} when the time limit begins, {"test", "message", "line"} for each failure, as soon as it
is known, and at the end {"tests", "not_run", "problem", "output"}.

Without arguments the process loads what checks need, and waits for a line on standard input: the
arguments in JSON, with the names of the files for standard output and errors.
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

MAX_LINES = 20  # lines of a program's output or log that are shown
FAIL_FAST_AFTER = 0.8  # seconds after which a check ends with its first failing test

# Advice for exceptions that a file raises while it is loaded, by a part of the exception's text.
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

ErrorInfo = Any  # sys.exc_info(), which unittest passes to a result

NOT_AWAITABLE = ("'await' expression", "object can't be awaited")
"""Part of the message of `await 1`: until Python 3.13, and from 3.14 on."""


class CheckAborted(Exception):
    """The tests cannot continue; `problem` has the fields of `course.checking.runner.Problem`."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem["message"])
        self.problem = problem


class OutputCapture(io.TextIOBase):
    """Replacement for sys.stdout and sys.stderr that keeps the last `MAX_LINES` lines."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque([""], maxlen=MAX_LINES + 1)

    def write(self, text: str) -> int:
        """Append text, with lines cut after 500 characters."""
        for number, line in enumerate(text.split("\n")):
            if number == 0:
                self.lines[-1] = (self.lines[-1] + line)[:500]
            else:
                self.lines.append(line[:500])
        return len(text)

    def drain(self) -> str:
        """Return the captured text and start again with none."""
        text = "\n".join(self.lines).rstrip()
        self.lines.clear()
        self.lines.append("")
        return text


class LogCapture(logging.Handler):
    """Collects the log records of Tornado and asyncio during a test: mostly exceptions."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.errors: list[BaseException] = []
        self.notes: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the exception of a record, or its message if it has none."""
        if record.exc_info and record.exc_info[1]:
            self.errors.append(record.exc_info[1])
        elif record.name != "tornado.access":  # the report shows the response's status already
            self.notes.append(record.getMessage())

    def warn(
        self, message: Warning | str, category: type[Warning], *_: object, **__: object
    ) -> None:
        """Keep a RuntimeWarning; replaces warnings.showwarning."""
        if issubclass(category, RuntimeWarning):  # "coroutine ... was never awaited"
            self.notes.append(f"{category.__name__}: {message}")

    def drain(self) -> tuple[list[BaseException], list[str]]:
        """Return the collected exceptions and messages, and start again with none."""
        errors, notes = self.errors, self.notes
        self.errors, self.notes = [], []
        return errors, notes


class ReadableResult(unittest.TestResult):
    """Turns the errors of tests into failures that a beginner can read."""

    def __init__(
        self, subject: Path, capture: OutputCapture, log: LogCapture, channel: "ResultChannel"
    ) -> None:
        super().__init__()
        self.subject, self.capture, self.log, self.channel = subject, capture, log, channel
        self.reported: list[dict[str, Any]] = []
        self.output: list[str] = []
        self.problem: dict[str, Any] | None = None
        self.started = time.monotonic()

    def startTest(self, test: unittest.TestCase) -> None:
        """Record the time at which the first test starts."""
        super().startTest(test)
        if self.testsRun == 1:
            self.started = time.monotonic()

    @property
    def test_count(self) -> int:
        """The number of tests that ran and were not skipped."""
        return self.testsRun - len(self.skipped)

    def addFailure(self, test: unittest.TestCase, err: ErrorInfo) -> None:
        """Report a failed assertion to the runner."""
        self._record(test, err)

    def addError(self, test: unittest.TestCase, err: ErrorInfo) -> None:
        """Report an exception to the runner."""
        self._record(test, err)

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: ErrorInfo | None
    ) -> None:
        """Report a failed subtest to the runner."""
        if err:
            self._record(test, err)

    def stopTest(self, test: unittest.TestCase) -> None:
        """Delete the log of a finished test; keep its output if it passed."""
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
        # Python warns of a coroutine that was never awaited when it deletes the coroutine. One in a
        # reference cycle, as of a handler and its request, is deleted only by the collector.
        gc.collect()
        logged, notes = self.log.drain()
        others = [each for each in logged[:2] if each is not error]
        hints = [("your code", self._describe_error(each)) for each in others]
        hints += [("logged", "\n".join(notes[:3])), ("printed", self.capture.drain())]
        name = translate(test.id().rpartition(".")[2].removeprefix("test_").replace("_", " "))
        advice = error.advice if isinstance(error, Mismatch) else ""
        parts = [self._describe(error), format_sections(dict.fromkeys(hints)), advice]
        message = "\n".join(filter(None, parts))
        frames = [learner_frame(self.subject, each) for each in (error, *others)]
        line = next((frame.lineno for frame in frames if frame), None)
        failure = {"test": name, "message": message, "line": line}
        if failure not in self.reported:  # tornado.testing raises an exit a second time in tearDown
            self.reported.append(failure)
            self.channel.write(failure)
        # A wrong answer often makes each of the following tests wait for its timeout, too.
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
        """Return the line of the learner's file that raised, if any, and the exception."""
        frame = learner_frame(self.subject, error)
        description = f"{type(error).__name__}: {error}".rstrip(": ")
        if isinstance(error, TypeError) and any(part in str(error) for part in NOT_AWAITABLE):
            if frame:
                description += "\n" + translate(
                    "await needs the call of a function that is defined with async def.\n"
                    "Call any other function without await."
                )
            else:  # Tornado awaits whatever a method of a handler returns, unless it is None.
                description += "\n" + translate(
                    "A method of your handler has returned a value; it must return nothing.\n"
                    "If it was meant to call a function, are the parentheses missing, "
                    "as in self.get()?"
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
    """Return the fields of a `Problem`; the source of the line is read from the file if missing."""
    if line and text is None:
        text = linecache.getline(str(file), line)
    fields = {"kind": kind, "message": message, "file": str(file), "line": line}
    return fields | {"text": text.strip() if text else None}


def problem_from_exception(
    kind: Kind, message: str, file: Path, error: BaseException
) -> dict[str, Any]:
    """Return the fields of a `Problem` at the line of the file that raised."""
    frame = learner_frame(file, error)
    return make_problem(kind, message, file, frame.lineno if frame else None)


def problem_from_submission(subject: Path, error: InvalidSubmission) -> dict[str, Any]:
    """Return the fields of a `Problem` for a file that a check cannot use."""
    if error.__cause__:
        return problem_from_exception("crash", str(error), subject, error.__cause__)
    return make_problem("import", str(error), subject, error.line)


def load(path: Path) -> types.ModuleType:
    """Run a file as a module and return the module; exceptions of the file pass through.

    An import could use a stale .pyc: the timestamp in it does not change if the file is saved twice
    within a second.
    """
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    source = path.read_bytes()
    # compile() does not name the line of a null byte. Before Python 3.11.4 it raises ValueError.
    if b"\0" in source:
        line = source.partition(b"\0")[0].count(b"\n") + 1
        raise SyntaxError("source code cannot contain null bytes", (str(path), line, None, None))
    code = compile(source, str(path), "exec")
    sys.modules[path.stem] = module
    exec(code, module.__dict__)  # noqa: S102
    return module


def load_subject(path: Path) -> types.ModuleType:
    """Return the learner's file as a module, or raise `CheckAborted`."""
    sys.path.append(str(path.parent))  # last: a file of the learner must not hide a library
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
    """Loads the tests of a class in the order of their definitions: the simplest are first."""

    def getTestCaseNames(self, testCaseClass: type[unittest.TestCase]) -> list[str]:
        """Return the names of a class's tests, sorted by line number."""

        def line(name: str) -> int:
            method: types.FunctionType = inspect.unwrap(getattr(testCaseClass, name))
            return method.__code__.co_firstlineno

        return sorted(super().getTestCaseNames(testCaseClass), key=line)


class ResultChannel:
    """Writes JSON objects to the runner; the last one ends the process, even with live threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # output of the learner's child processes must not mix with the report

    def write(self, fields: dict[str, Any]) -> None:
        """Write one object and flush it."""
        with self._lock:
            self._write(fields)

    def end(self, **fields: Any) -> NoReturn:
        """Write the last object and end the process."""
        with self._lock:  # the first caller ends the process
            empty: dict[str, Any] = {"tests": 0, "not_run": 0, "problem": None, "output": ""}
            self._write(empty | fields)
            os._exit(0)

    def _write(self, fields: dict[str, Any]) -> None:
        self._stream.write(json.dumps(fields) + "\n")
        self._stream.flush()


def main(check: Path, subject: Path, timeout: float) -> NoReturn:
    """Load the learner's file and the check, run the tests, report the result, end the process.

    Args:
        check: the file with the tests.
        subject: the learner's file.
        timeout: seconds after which the process reports the line that is running, and ends.
    """
    channel, capture, log = ResultChannel(), OutputCapture(), LogCapture()
    sys.stdout = sys.stderr = capture
    logging.getLogger().addHandler(log)
    warnings.simplefilter("always", RuntimeWarning)  # in each test, not once for each line of code
    warnings.showwarning = log.warn
    sys.dont_write_bytecode = True
    os.environ["PYTHON_COLORS"] = "0"  # output of the learner's programs is shown as plain text
    # A process that a shell script starts with `&` ignores SIGINT, and so do its child processes,
    # which the checks end by that signal. Ctrl-C does not reach this process because of
    # start_new_session in the runner.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    result = ReadableResult(subject, capture, log, channel)

    def abort(fields: dict[str, Any]) -> NoReturn:
        """Report a problem with the output before it, and end the process."""
        message = "\n".join(
            filter(None, [fields["message"], format_sections([("printed", capture.drain())])])
        )
        channel.end(tests=result.test_count, problem=fields | {"message": message})

    def on_timeout() -> None:
        """Report the line of the learner's file that the main thread executes."""
        stack = traceback.extract_stack(sys._current_frames()[threading.main_thread().ident or 0])
        line = next(
            (each.lineno for each in reversed(stack) if each.filename == str(subject)), None
        )
        message = translate("Still running after {seconds} seconds.", seconds=f"{timeout:g}")
        abort(make_problem("timeout", message, subject, line))

    watchdog = threading.Timer(timeout, on_timeout)
    watchdog.daemon = True
    watchdog.start()
    channel.write({"started": True})

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


def wait_for_check() -> None:
    """Wait for the arguments of a check; end the process if none come."""
    from course.testing import command, markup, services, websocket  # noqa: F401 - checks need them

    line = os.read(0, 65536)
    while line and not line.endswith(b"\n"):
        line += os.read(0, 65536)
    if not line:
        sys.exit()
    *arguments, output, errors = json.loads(line)
    sys.argv[1:] = arguments
    for name, mode, descriptor in ((os.devnull, "rb", 0), (output, "ab", 1), (errors, "ab", 2)):
        with Path(name).open(mode) as file:
            os.dup2(file.fileno(), descriptor)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        wait_for_check()
    if len(sys.argv) > 4:
        FAIL_FAST_AFTER = float(sys.argv[4])
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
