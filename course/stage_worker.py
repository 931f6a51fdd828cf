"""Run the tests of stages on a chat in a folder; `course.stages` starts it as a process.

`python -m course.stage_worker FOLDER TEST_FILE...` writes one JSON object with the keys `tests`
and `failures` to standard output.
"""

import importlib.util
import json
import logging
import os
import sys
import traceback
import unittest
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from course.testing.chat_stage import StageCase


def load_tests(file: Path, folder: Path) -> unittest.TestSuite:
    """Return the tests of a file, for the chat in a folder.

    Args:
        file: the test_stage.py of a stage.
        folder: the chat that is tested.
    """
    name = f"{file.parent.name}_tests"
    spec = importlib.util.spec_from_file_location(name, file)
    if not spec or not spec.loader:
        raise ValueError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    suite = unittest.TestSuite()
    for case in vars(module).values():
        if isinstance(case, type) and issubclass(case, StageCase) and case is not StageCase:
            case.folder = folder
            suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    return suite


class StageTestResult(unittest.TestResult):
    """Collects the failures of the tests of one file.

    Args:
        file: the test_stage.py.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.reports: list[dict[str, str]] = []

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        """Add an assertion that is not true."""
        super().addFailure(test, err)
        self._add(test, err[1], self.failures[-1][1])

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        """Add an exception."""
        super().addError(test, err)
        self._add(test, err[1], self.errors[-1][1])

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        """Add a failed part of a test."""
        if err:
            self.addFailure(subtest, err)

    def _add(self, test: unittest.TestCase, error: BaseException, trace: str) -> None:
        self.reports.append(
            {
                "file": str(self.file),
                "test": test.id().rpartition(".")[2],
                "message": describe_error(error, self.file),
                "traceback": trace,
            }
        )


def describe_error(error: BaseException, file: Path) -> str:
    """Return the line of the test at which it has failed, and the first line of the exception."""
    first = str(error).strip().partition("\n")[0]
    message = f"{type(error).__name__}: {first}"
    lines = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in lines if Path(frame.filename).name == file.name]
    return f"line {own[-1].lineno}: {own[-1].line}\n{message}" if own else message


def run_tests(files: Iterable[Path], folder: Path) -> dict[str, Any]:
    """Run test files on the chat in a folder.

    Returns:
        `tests`, their number, and `failures`, a list of objects with the file, the test, the
        message and the traceback of each.
    """
    failures: list[dict[str, str]] = []
    tests = 0
    for file in files:
        result = StageTestResult(file)
        load_tests(file, folder).run(result)
        tests += result.testsRun
        failures += result.reports
    return {"tests": tests, "failures": failures}


def main() -> None:
    """Run the tests that the command line names; write the report."""
    folder, *files = map(Path, sys.argv[1:])
    logging.disable()  # the access log of the chat; a failure has its traceback
    output, sys.stdout = sys.stdout, sys.stderr  # the learner's program may print
    json.dump(run_tests(files, folder), output)
    output.flush()
    os._exit(0)  # threads that the learner's program has left behind do not matter


if __name__ == "__main__":
    main()
