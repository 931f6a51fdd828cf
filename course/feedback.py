"""The prepared text of an issue about a step, an exercise, or the course.

The text has the place, the versions and the report of a check. Names of the user and paths outside
the course are replaced. Nothing is sent: the learner reads the text and sends it.
"""

import contextlib
import getpass
import io
import platform
import re
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import click
import tornado

from capstone_chat import __version__
from course import console, workspace
from course.catalog import Catalog, Exercise, Stage, UnknownNameError
from course.pages import find_step
from course.translation import translate

MAX_REPORT = 3_000
"""Characters of a report: with more, the address can become too long for browsers and servers."""


@dataclass(frozen=True)
class Feedback:
    """The title and the text of an issue."""

    title: str
    text: str


def prepare(catalog: Catalog, name: str) -> Feedback:
    """Return the prepared issue.

    Args:
        catalog: the course.
        name: a step such as `01/3`, a stage or an exercise; "" for the course.

    Raises:
        UnknownNameError: there is no such step, stage or exercise.
    """
    title, subject = _find_subject(catalog, name)
    parts = [
        translate("**What did you do, what did you see, and what did you expect?**\n\n"),
        translate("**Versions:** {versions}", versions=_versions()),
    ]
    # Before the cut: a path that is cut in two would not be found.
    report = without_private(_check_report(subject), catalog.root) if subject else ""
    if report:
        parts.append(
            translate("**The check reports:**\n\n{report}", report=_fence(report[:MAX_REPORT]))
        )
    return Feedback(title, "\n\n".join(parts) + "\n")


def issue_address(pyproject: Path, feedback: Feedback) -> str:
    """Return the address that opens the issue in a browser.

    Args:
        pyproject: the pyproject.toml whose `[project.urls]` names the issues.
        feedback: the issue.

    Returns:
        The address; "" if the file is missing or does not name the issues.
    """
    try:
        settings = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    issues = settings.get("project", {}).get("urls", {}).get("Issues", "")
    if not issues:
        return ""
    query = urlencode({"title": feedback.title, "body": feedback.text})
    return f"{issues.rstrip('/')}/new?{query}"


def without_private(text: str, root: Path) -> str:
    """Return a text without the path of the course, other folders of the machine, and the user."""
    folders = {
        str(root): ".",
        sys.prefix: "PYTHON",
        sys.base_prefix: "PYTHON",
        tempfile.gettempdir(): "TEMP",
        str(Path.home()): "HOME",
    }
    for folder in sorted(folders, key=len, reverse=True):  # a longer one may be in a shorter one
        if len(folder) > len("/"):
            text = re.sub(rf"{re.escape(folder)}(?![\w-])", folders[folder], text)
    # All other absolute paths of a traceback are outside the course.
    text = re.sub(r'File "(?:/|[A-Za-z]:\\)[^"]*[/\\]', 'File "', text)
    with contextlib.suppress(OSError, KeyError, ImportError):  # a user without a name
        text = re.sub(rf"\b{re.escape(getpass.getuser())}\b", "USER", text)
    return text


def _find_subject(catalog: Catalog, name: str) -> tuple[str, Exercise | Stage | None]:
    if not name:
        return translate("The course: "), None
    if stage := catalog.find_stage(name):
        return translate("Stage {label}: ", label=stage.label), stage
    lesson_name, slash, number = name.rpartition("/")
    if slash and number.isdecimal():
        lesson = catalog.lesson(lesson_name)
        step = find_step(lesson, int(number))
        label = f"{lesson.number}/{step.number}"
        return translate("Step {label}, {title}: ", label=label, title=step.title), None
    exercises = catalog.select_exercises(name)[1]
    if len(exercises) != 1:
        raise UnknownNameError(
            translate('"{name}" is a lesson: name a step, such as {name}/1.', name=name)
        )
    return translate("Exercise {label}: ", label=exercises[0].label), exercises[0]


def _versions() -> str:
    return (
        f"Learn Tornado {__version__}, Python {platform.python_version()}, "
        f"Tornado {tornado.version}, {platform.system()} {platform.release()}"
    )


def _check_report(subject: Exercise | Stage) -> str:
    """Return the report of a check of the learner's files; "" if nothing was begun."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        if isinstance(subject, Stage):
            from course.stages import check_stage

            if not subject.work_folder.exists():
                return ""
            console.print_stage_result(subject, check_stage(subject, subject.work_folder))
        else:
            from course.checking.runner import run_check

            if not workspace.is_modified(subject):
                return ""
            printer = console.FailurePrinter(subject)
            result = run_check(subject.check, subject.work_file, on_failure=printer.print_failure)
            printer.print_end(result)
    return click.unstyle(printed.getvalue()).strip()


def _fence(report: str) -> str:
    """Return a report as a block of code, whose fence is longer than any in the report."""
    longest = max((len(run) for run in re.findall(r"`+", report)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{report}\n{fence}"
