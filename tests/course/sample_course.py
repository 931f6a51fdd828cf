"""A small course on disk, so that the runner is not tested on what the lessons happen to hold."""

from pathlib import Path
from textwrap import dedent

from course.checking.runner import CheckResult, run_check

APP = '''
"""Says hello."""

import tornado.web


class Hello(tornado.web.RequestHandler):
    def get(self):
        self.write("{greeting}")


def make_app():
    return tornado.web.Application([("/", Hello)])
'''
STUB = APP.format(greeting="TODO")
SOLUTION = APP.format(greeting="hello")

CHECK = """
from course.testing.http import ExerciseCase


class Hello(ExerciseCase):
    def test_it_says_hello(self):
        self.send("GET", "/").expect(status=200, body="hello", advice="get() of Hello")
"""

EXERCISES = """
[[exercise]]
name = "greeting"
title = "Say hello"
goal = "GET / answers hello."
file = "greeting.py"
check = "check_greeting.py"
concepts = ["C010"]
hints = ["What does get() write?", "Write hello."]

[[exercise]]
name = "farewell"
title = "Say it again"
goal = "GET / answers hello, too."
file = "farewell.py"
check = "check_farewell.py"
hints = ["As before.", "Write hello here, too."]
"""


def make_course(root: Path) -> Path:
    """Write a course of two lessons, the first with two scripts and two exercises."""
    hello = root / "lessons" / "01_hello"
    write(hello / "README.md", "# Hello, Tornado\n\nSee `zebra.py`, then `apple.py`.\n")
    for name in ("apple", "app", "zebra"):
        write(
            hello / f"{name}.py", f'"""The {name}.\n\nMore."""\nimport sys\nprint(sys.argv[1:])\n'
        )
    write(hello / "exercises" / "exercises.toml", EXERCISES)
    for name in ("greeting", "farewell"):
        write(hello / "exercises" / f"{name}.py", STUB)
        write(hello / "exercises" / f"check_{name}.py", CHECK)
        write(hello / "exercises" / "solutions" / f"{name}.py", SOLUTION)
    write(root / "lessons" / "02_options" / "app.py", '"""Options."""\n')
    write(root / "notebooks" / "01_hello.ipynb", "{}")
    return root


def check_lines(case: type, file: Path, subject: str, *lines: str) -> CheckResult:
    """Run a check whose only test consists of these lines.

    Args:
        case: the class of the check's case.
        file: the submission, in a folder that may be filled.
        subject: source of the submission.
        lines: lines of the test.
    """
    check = file.with_name(f"check_{file.name}")
    test = "".join(f"        {line}\n" for line in lines)
    head = f"from {case.__module__} import {case.__name__}\n\nclass Only({case.__name__}):\n"
    check.write_text(f"{head}    def test_it(self):\n{test}", encoding="utf-8")
    write(file, subject)
    return run_check(check, file)


def message(result: CheckResult) -> str:
    """Return the message of the only failure of a check."""
    assert not result.passed
    assert not result.problem, result.problem
    assert len(result.failures) == 1, result.failures
    return result.failures[0].message


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")
