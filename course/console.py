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
from course.progress import ExerciseProgress
from course.translation import translate
from course.workspace import is_modified

if TYPE_CHECKING:  # not needed to print the list, which should feel instant
    from course.checking.runner import CheckResult, Failure, Problem
    from course.demo import CommandResult
    from course.pages import Session

LEARN = "py learn.py" if os.name == "nt" else "python3 learn.py"


def print_line(
    text: str = "", *, fg: str | None = None, bold: bool | None = None, dim: bool | None = None
) -> None:
    """Print one paragraph, on a terminal in this colour and weight."""
    click.secho(text, fg=fg, bold=bold, dim=dim)


def relative_path(path: Path) -> str:
    """The path as one would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def format_status(record: ExerciseProgress) -> str:
    """Return one word about an exercise."""
    if record.solved:
        return click.style(translate("solved"), fg="green")
    if record.tries:
        return click.style(translate("begun"), fg="yellow")
    return click.style(translate("to do"), dim=True)


def print_lessons(lessons: Sequence[Lesson], records: Mapping[str, ExerciseProgress]) -> None:
    """Print one line for each lesson: its number, its title, and how many exercises are solved."""
    rows = []
    for lesson in lessons:
        done = [
            records.get(exercise.key, ExerciseProgress()).solved for exercise in lesson.exercises
        ]
        solved = ""
        if done:
            solved = translate(
                "{solved} of {count} exercises solved", solved=sum(done), count=len(done)
            )
        title = translate(lesson.title.removeprefix(lesson.number).strip())
        rows.append((lesson.number, title, solved))
    _print_table(rows)
    if lessons:
        command = f"{LEARN} list {lessons[0].number}"
        print_line("\n" + translate("More about a lesson: {command}", command=command))


def print_lesson(lesson: Lesson, records: Mapping[str, ExerciseProgress]) -> None:
    """Print a lesson with its scripts, and its exercises with their state."""
    print_line(f"{lesson.name}  {translate(lesson.title)}", bold=True)
    rows = [("  run", script.label, translate(script.summary)) for script in lesson.scripts]
    for exercise in lesson.exercises:
        status = format_status(records.get(exercise.key, ExerciseProgress()))
        rows.append(("  check", exercise.label, f"{status}  {translate(exercise.title)}"))
    _print_table(rows)


def print_session(shown: "Session") -> None:
    """Print where a page has the commands that follow."""
    print_line(
        "\n"
        + translate(
            "{file}, line {number}", file=relative_path(shown.block.page), number=shown.block.line
        ),
        bold=True,
    )
    for block in shown.changes:
        print_line(translate("With this change of {source}:", source=block.source))
        print_line(block.text.rstrip())


def print_command(command: "CommandResult") -> None:
    """Print a command and its output, and what the page shows if that is another output."""
    title = f"$ {command.command}" if command.command else translate("The terminal of the server:")
    print_line(title, fg="cyan")
    if command.output.strip():
        print_line(command.output.rstrip())
    if not command.matches_page:
        print_line(translate("The page shows another output:"), fg="red")
        print_line(textwrap.indent(command.shown.rstrip(), "  "))


def _print_table(rows: Sequence[Sequence[str]]) -> None:
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


def print_goal(exercise: Exercise) -> None:
    """Print what an exercise is about."""
    print_line(translate(exercise.title), bold=True)
    print_line(textwrap.indent(translate(exercise.goal.strip()), "  "))


def print_result(exercise: Exercise, result: "CheckResult | None") -> None:
    """Print one line about a checked exercise; None stands for one that is not begun."""
    if result is None:
        result_text = click.style(translate("to do"), dim=True)
    elif result.passed:
        tests = translate("solved   {tests} pass", tests=_count_tests(result.tests))
        result_text = click.style(tests, fg="green")
    elif result.problem:
        result_text = click.style(translate("not yet  {kind}", kind=result.problem.kind), fg="red")
    else:
        # A test that tries several cases may fail several times.
        failed = len({failure.test for failure in result.failures})
        verb = "{failed} of {tests} fails" if failed == 1 else "{failed} of {tests} fail"
        count = translate(verb, failed=failed, tests=_count_tests(result.tests))
        if result.not_run:
            count += translate(", {count} not run", count=result.not_run)
        result_text = click.style(translate("not yet  {count}", count=count), fg="red")
    print_line(f"{exercise.label:24} {result_text}")


class FailurePrinter:
    """Prints why an exercise is not solved yet, beginning with the first failure that is known.

    Of failures with one cause only the first is printed.
    """

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        # The first report shows the goal of an exercise; advice would be its answer.
        self._advises = is_modified(exercise)
        self._causes: list[str] = []  # the last one is that of the failure printed last
        self._more = 0  # further failures with this cause
        self._earlier = 0  # further failures with an earlier cause

    def print_failure(self, failure: "Failure") -> None:
        """Print a failure, unless one with the same cause is there already."""
        message = failure.message if self._advises else without_advice(failure.message)
        found = cause_of(message)
        if found in self._causes:
            self._more += found == self._causes[-1]
            self._earlier += found != self._causes[-1]
            return
        self._print_heading()
        self._causes.append(found)
        print_line(f"\n  {failure.test}", fg="red")
        print_line(textwrap.indent(message, "    "))

    def print_end(self, result: "CheckResult") -> None:
        """Print what is left to say when the check has ended."""
        if result.problem:
            self._print_heading()
            _print_problem(result.problem)
        self._print_more()
        if self._earlier:
            message = "{count} more fail in a way that is shown above."
            if self._earlier == 1:
                message = "1 more fails in a way that is shown above."
            print_line("\n  " + translate(message, count=self._earlier))
        if not self._advises and self._causes:
            print_line(
                "\n" + translate("Change the file first: from then on, the report gives advice.")
            )
        print_line()
        print_result(self._exercise, result)

    def _print_heading(self) -> None:
        if self._causes:
            self._print_more()
        else:
            print_line()
            print_goal(self._exercise)

    def _print_more(self) -> None:
        if self._more:
            message = "{count} more fail the same way."
            if self._more == 1:
                message = "1 more fails the same way."
            print_line("\n  " + translate(message, count=self._more))
        self._more = 0


def print_next_step(exercise: Exercise) -> None:
    """Print where the learner's file is, and how to get a hint."""
    print_line("\n" + translate("Your file: {file}", file=relative_path(exercise.work_file)))
    print_line(translate("A hint:    {command}", command=f"{LEARN} hint {exercise.label}"))


def print_source(path: Path) -> None:
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


def cause_of(message: str) -> str:
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


def _print_problem(problem: "Problem") -> None:
    print_line()
    if problem.file:
        where = relative_path(problem.file)
        if problem.line:
            where = translate("{file}, line {number}", file=where, number=problem.line)
        print_line(f"  {where}", fg="red")
    if problem.text:
        print_line(f"      {problem.text.strip()}")
    print_line(textwrap.indent(problem.message, "    "))


def _count_tests(number: int) -> str:
    return translate("{number} test" if number == 1 else "{number} tests", number=number)


def print_progress(lessons: Sequence[Lesson], records: Mapping[str, ExerciseProgress]) -> None:
    """Print how much of each lesson is solved, and what comes next."""
    rows = [(translate("lesson"), translate("solved"), "", translate("hints"))]
    following = None
    for lesson in lessons:
        done = [records.get(exercise.key, ExerciseProgress()) for exercise in lesson.exercises]
        solved = sum(record.solved for record in done)
        open_ones = [e for e, r in zip(lesson.exercises, done, strict=True) if not r.solved]
        following = following or next(iter(open_ones), None)
        bar = click.style("#" * solved, fg="green") + click.style("." * len(open_ones), dim=True)
        hints = sum(record.hints for record in done)
        count = translate("{solved} of {count}", solved=solved, count=len(done))
        rows.append((lesson.name, count, bar, str(hints)))
    _print_table(rows)
    if following:
        title, command = translate(following.title), f"{LEARN} check {following.label}"
        print_line("\n" + translate("Next: {title}: {command}", title=title, command=command))
    else:
        print_line("\n" + translate("Everything is solved."))
