"""What the runner prints: the table of lessons, the outcome of a check, the progress."""

import os
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from course.catalog import Exercise, Lesson
from course.progress import Record

if TYPE_CHECKING:  # not needed to print the list, which should feel instant
    from course.checks import CheckResult, Failure, Problem

LEARN = "py learn.py" if os.name == "nt" else "python3 learn.py"

console = Console(highlight=False, markup=False)


def say(text: str = "", style: str = "") -> None:
    """Print one paragraph; a terminal breaks it, a pipe gets it as it is."""
    console.print(text, style=style, soft_wrap=True)


def relative(path: Path) -> str:
    """The path as one would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def state(record: Record) -> Text:
    """One word about an exercise."""
    if record.solved:
        return Text("solved", style="green")
    return Text("begun", style="yellow") if record.tries else Text("to do", style="dim")


def list_lessons(lessons: Sequence[Lesson], records: Mapping[str, Record]) -> None:
    """Print every lesson with its scripts, and its exercises with their state."""
    for lesson in lessons:
        say(f"\n{lesson.name}  {lesson.title}", style="bold")
        table = Table.grid(padding=(0, 2))
        for script in lesson.scripts:
            table.add_row("  run", script.label, Text(script.summary))
        for exercise in lesson.exercises:
            about = Text.assemble(
                state(records.get(exercise.key, Record())), "  ", Text(exercise.title)
            )
            table.add_row("  check", exercise.label, about)
        console.print(table)


def introduce(exercise: Exercise) -> None:
    """Print what an exercise is about."""
    say(exercise.title, style="bold")
    say(textwrap.indent(exercise.goal.strip(), "  "))


def outcome(exercise: Exercise, result: "CheckResult | None") -> None:
    """Print one line about a checked exercise; None stands for one that is not begun."""
    if result is None:
        said = Text("to do", style="dim")
    elif result.passed:
        said = Text(f"solved   {_tests(result.tests)} pass", style="green")
    elif result.problem:
        said = Text(f"not yet  {result.problem.kind}", style="red")
    else:
        said = Text(f"not yet  {len(result.failures)} of {_tests(result.tests)} fail", style="red")
    console.print(Text.assemble(f"{exercise.label:24} ", said), soft_wrap=True)


def details(exercise: Exercise, result: "CheckResult") -> None:
    """Print why an exercise is not solved yet, and what to do next."""
    say()
    introduce(exercise)
    if result.problem:
        _problem(result.problem)
    for failure in result.failures:
        _failure(failure)
    say(f"\nYour file: {relative(exercise.copy)}")
    say(f"A hint:    {LEARN} hint {exercise.label}")


def source(path: Path) -> None:
    """Print a file of code: with colours on a terminal, as it is into a pipe."""
    text = path.read_text(encoding="utf-8")
    console.print(Syntax(text, "python") if console.is_terminal else text.rstrip())


def _failure(failure: "Failure") -> None:
    say(f"\n  {failure.test}", style="red")
    say(textwrap.indent(failure.message, "    "))


def _problem(problem: "Problem") -> None:
    say()
    if problem.file:
        line = f", line {problem.line}" if problem.line else ""
        say(f"  {relative(problem.file)}{line}", style="red")
    if problem.text:
        say(f"      {problem.text.strip()}")
    say(textwrap.indent(problem.message, "    "))


def _tests(number: int) -> str:
    return f"{number} test{'' if number == 1 else 's'}"


def progress(lessons: Sequence[Lesson], records: Mapping[str, Record]) -> None:
    """Print how much of each lesson is solved, and what comes next."""
    table = Table("lesson", "solved", "", "hints", box=None, pad_edge=False)
    following = None
    for lesson in lessons:
        done = [records.get(exercise.key, Record()) for exercise in lesson.exercises]
        solved = sum(record.solved for record in done)
        open_ones = [e for e, r in zip(lesson.exercises, done, strict=True) if not r.solved]
        following = following or next(iter(open_ones), None)
        bar = Text("#" * solved, style="green") + Text("." * len(open_ones), style="dim")
        hints = sum(record.hints for record in done)
        table.add_row(lesson.name, f"{solved} of {len(done)}", bar, str(hints))
    console.print(table)
    if following:
        say(f"\nNext: {following.title}: {LEARN} check {following.label}")
    else:
        say("\nEverything is solved.")
