"""What the runner prints: the table of lessons, the outcome of a check, the progress."""

import os
import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from course.catalog import Exercise, Lesson
from course.my_work import is_changed
from course.progress import Record
from course.translation import translate

if TYPE_CHECKING:  # not needed to print the list, which should feel instant
    from course.checks import CheckResult, Failure, Problem
    from course.demo import Ran
    from course.pages import Session

LEARN = "py learn.py" if os.name == "nt" else "python3 learn.py"


def say(
    text: str = "", *, fg: str | None = None, bold: bool | None = None, dim: bool | None = None
) -> None:
    """Print one paragraph, on a terminal in this colour and weight."""
    click.secho(text, fg=fg, bold=bold, dim=dim)


def relative(path: Path) -> str:
    """The path as one would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def state(record: Record) -> str:
    """Return one word about an exercise."""
    if record.solved:
        return click.style(translate("solved"), fg="green")
    if record.tries:
        return click.style(translate("begun"), fg="yellow")
    return click.style(translate("to do"), dim=True)


def list_lessons(lessons: Sequence[Lesson], records: Mapping[str, Record]) -> None:
    """Print one line for each lesson: its number, its title, and how many exercises are solved."""
    rows = []
    for lesson in lessons:
        done = [records.get(exercise.key, Record()).solved for exercise in lesson.exercises]
        solved = ""
        if done:
            solved = translate(
                "{solved} of {count} exercises solved", solved=sum(done), count=len(done)
            )
        title = translate(lesson.title.removeprefix(lesson.number).strip())
        rows.append((lesson.number, title, solved))
    _table(rows)
    if lessons:
        command = f"{LEARN} list {lessons[0].number}"
        say("\n" + translate("More about a lesson: {command}", command=command))


def list_lesson(lesson: Lesson, records: Mapping[str, Record]) -> None:
    """Print a lesson with its scripts, and its exercises with their state."""
    say(f"{lesson.name}  {translate(lesson.title)}", bold=True)
    rows = [("  run", script.label, translate(script.summary)) for script in lesson.scripts]
    for exercise in lesson.exercises:
        about = f"{state(records.get(exercise.key, Record()))}  {translate(exercise.title)}"
        rows.append(("  check", exercise.label, about))
    _table(rows)


def session(shown: "Session") -> None:
    """Print where a page has the commands that follow."""
    say(
        "\n"
        + translate(
            "{file}, line {number}", file=relative(shown.block.page), number=shown.block.line
        ),
        bold=True,
    )
    for block in shown.changes:
        say(translate("With this change of {source}:", source=block.source))
        say(block.text.rstrip())


def ran(command: "Ran") -> None:
    """Print a command and its output, and what the page shows if that is another output."""
    title = f"$ {command.command}" if command.command else translate("The terminal of the server:")
    say(title, fg="cyan")
    if command.output.strip():
        say(command.output.rstrip())
    if not command.as_shown:
        say(translate("The page shows another output:"), fg="red")
        say(textwrap.indent(command.shown.rstrip(), "  "))


def _table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as columns; on a terminal the last one is wrapped within its column."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)][:-1]
    for *cells, last in rows:
        pairs = zip(cells, widths, strict=True)
        begin = "".join(cell + " " * (width + 2 - _width(cell)) for cell, width in pairs)
        lines = [last]
        if sys.stdout.isatty():
            room = os.get_terminal_size().columns - _width(begin)
            lines = textwrap.wrap(last, max(room, 20)) or [""]
        click.echo((begin + ("\n" + " " * _width(begin)).join(lines)).rstrip())


def _width(cell: str) -> int:
    return len(click.unstyle(cell))


def introduce(exercise: Exercise) -> None:
    """Print what an exercise is about."""
    say(translate(exercise.title), bold=True)
    say(textwrap.indent(translate(exercise.goal.strip()), "  "))


def outcome(exercise: Exercise, result: "CheckResult | None") -> None:
    """Print one line about a checked exercise; None stands for one that is not begun."""
    if result is None:
        said = click.style(translate("to do"), dim=True)
    elif result.passed:
        tests = translate("solved   {tests} pass", tests=_tests(result.tests))
        said = click.style(tests, fg="green")
    elif result.problem:
        said = click.style(translate("not yet  {kind}", kind=result.problem.kind), fg="red")
    else:
        # A test that tries several cases may fail several times.
        failed = len({failure.test for failure in result.failures})
        verb = "{failed} of {tests} fails" if failed == 1 else "{failed} of {tests} fail"
        count = translate(verb, failed=failed, tests=_tests(result.tests))
        if result.not_run:
            count += translate(", {count} not run", count=result.not_run)
        said = click.style(translate("not yet  {count}", count=count), fg="red")
    say(f"{exercise.label:24} {said}")


class Details:
    """Prints why an exercise is not solved yet, beginning with the first failure that is known.

    Of failures with one cause only the first is printed.
    """

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        # The first report shows the goal of an exercise; advice would be its answer.
        self._advises = is_changed(exercise)
        self._causes: list[str] = []  # the last one is that of the failure printed last
        self._more = 0  # further failures with this cause
        self._earlier = 0  # further failures with an earlier cause

    def failure(self, failure: "Failure") -> None:
        """Print a failure, unless one with the same cause is there already."""
        message = failure.message if self._advises else without_advice(failure.message)
        found = cause(message)
        if found in self._causes:
            self._more += found == self._causes[-1]
            self._earlier += found != self._causes[-1]
            return
        self._begin()
        self._causes.append(found)
        say(f"\n  {failure.test}", fg="red")
        say(textwrap.indent(message, "    "))

    def end(self, result: "CheckResult") -> None:
        """Print what is left to say when the check has ended."""
        if result.problem:
            self._begin()
            _problem(result.problem)
        self._say_more()
        if self._earlier:
            message = "{count} more fail in a way that is shown above."
            if self._earlier == 1:
                message = "1 more fails in a way that is shown above."
            say("\n  " + translate(message, count=self._earlier))
        if not self._advises and self._causes:
            say("\n" + translate("Change the file first: from then on, the report gives advice."))
        say()
        outcome(self._exercise, result)

    def _begin(self) -> None:
        if self._causes:
            self._say_more()
        else:
            say()
            introduce(self._exercise)

    def _say_more(self) -> None:
        if self._more:
            message = "{count} more fail the same way."
            if self._more == 1:
                message = "1 more fails the same way."
            say("\n  " + translate(message, count=self._more))
        self._more = 0


def what_next(exercise: Exercise) -> None:
    """Print where the learner's file is, and how to get a hint."""
    say("\n" + translate("Your file: {file}", file=relative(exercise.copy)))
    say(translate("A hint:    {command}", command=f"{LEARN} hint {exercise.label}"))


def source(path: Path) -> None:
    """Print a file of code: with colours on a terminal, as it is into a pipe."""
    text = path.read_text(encoding="utf-8")
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        click.echo(text.rstrip())
        return
    from rich.console import Console
    from rich.syntax import Syntax

    Console().print(Syntax(text, "python"))


def without_advice(message: str) -> str:
    """Return the message of a failure without its last part, the advice."""
    label = f"{translate('advice'):<10}"
    return message.partition(f"\n{label}")[0]


def cause(message: str) -> str:
    """Return what two failures with one cause have in common.

    It is the line of the learner's code that raised, where there is one; otherwise all of the
    message but what was sent. Ports, and the times in what the program has printed, differ in
    each test, so these numbers do not count.
    """
    parts: dict[str, list[str]] = {}
    label = ""
    for line in message.splitlines():
        # A label and its text are two columns; further lines of the text are indented.
        label = line[:10].strip() or label
        numbers = r"\d+" if label in ("printed", "logged") else r"(?<=localhost:)\d+"
        parts.setdefault(label, []).append(re.sub(numbers, "0", line[10:]))
    kept = {"your code": parts["your code"]} if "your code" in parts else parts
    return repr({label: text for label, text in kept.items() if label != "sent"})


def _problem(problem: "Problem") -> None:
    say()
    if problem.file:
        where = relative(problem.file)
        if problem.line:
            where = translate("{file}, line {number}", file=where, number=problem.line)
        say(f"  {where}", fg="red")
    if problem.text:
        say(f"      {problem.text.strip()}")
    say(textwrap.indent(problem.message, "    "))


def _tests(number: int) -> str:
    return translate("{number} test" if number == 1 else "{number} tests", number=number)


def progress(lessons: Sequence[Lesson], records: Mapping[str, Record]) -> None:
    """Print how much of each lesson is solved, and what comes next."""
    rows = [(translate("lesson"), translate("solved"), "", translate("hints"))]
    following = None
    for lesson in lessons:
        done = [records.get(exercise.key, Record()) for exercise in lesson.exercises]
        solved = sum(record.solved for record in done)
        open_ones = [e for e, r in zip(lesson.exercises, done, strict=True) if not r.solved]
        following = following or next(iter(open_ones), None)
        bar = click.style("#" * solved, fg="green") + click.style("." * len(open_ones), dim=True)
        hints = sum(record.hints for record in done)
        count = translate("{solved} of {count}", solved=solved, count=len(done))
        rows.append((lesson.name, count, bar, str(hints)))
    _table(rows)
    if following:
        title, command = translate(following.title), f"{LEARN} check {following.label}"
        say("\n" + translate("Next: {title}: {command}", title=title, command=command))
    else:
        say("\n" + translate("Everything is solved."))
