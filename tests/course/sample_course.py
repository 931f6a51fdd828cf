"""A small course on disk, so that the runner is not tested on what the lessons happen to hold."""

from pathlib import Path
from textwrap import dedent

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


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")
