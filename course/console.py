"""Terminal output of the runner: the table of lessons, the result of a check, the progress."""

import os
import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from course.catalog import Exercise, Lesson, Stage
from course.progress import ExerciseProgress
from course.translation import translate
from course.workspace import is_modified

if TYPE_CHECKING:  # not imported at run time, because `list` must start fast
    from course.checking.runner import CheckResult, Failure, Problem
    from course.demo import CommandResult
    from course.pages import Session
    from course.stages import StageResult

LEARN = "py learn.py" if os.name == "nt" else "python3 learn.py"


def print_line(
    text: str = "", *, fg: str | None = None, bold: bool | None = None, dim: bool | None = None
) -> None:
    """Print one paragraph; on a terminal, in the given colour and weight."""
    click.secho(text, fg=fg, bold=bold, dim=dim)


def fit(text: str, indent: str = "", *, descriptor: int = 1) -> str:
    """Return paragraphs broken between words for a terminal; only indented for a file or a pipe.

    Args:
        text: paragraphs, with an empty line between two of them.
        indent: the beginning of each line.
        descriptor: where the text will be printed: 1, standard output, or 2, standard errors.
    """
    if not (sys.stdout if descriptor == 1 else sys.stderr).isatty():
        return textwrap.indent(text, indent)
    # One column less: some Windows consoles begin a new line after the last column.
    columns = max(os.get_terminal_size(descriptor).columns - 1, 20)
    wrap = textwrap.TextWrapper(
        columns,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n\n".join(wrap.fill(paragraph) for paragraph in re.split(r"\n\s*\n", text))


def print_error(problem: object) -> None:
    """Print what is wrong to standard error, after the name of the program."""
    click.echo(fit(f"learn.py: {problem}", descriptor=2), err=True)


def relative_path(path: Path) -> str:
    """Return a path relative to the current folder, or unchanged if it is not inside."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def format_status(record: ExerciseProgress) -> str:
    """Return the status of an exercise in a word: solved, begun or to do."""
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
    """Print the place of a session in its page, and the change that the session needs."""
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
    """Print a command and its output; if the page shows another output, print that too."""
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
    """Print the title and the goal of an exercise."""
    print_line(translate(exercise.title), bold=True)
    print_line(fit(translate(exercise.goal.strip()), "  "))


def print_result(exercise: Exercise, result: "CheckResult | None") -> None:
    """Print the result of an exercise in one line; None stands for one that was not checked."""
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
    """Prints the report on an exercise that is not solved yet, each failure as soon as it is known.

    Of failures with one cause only the first is printed.
    """

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        # Before the learner's first change the report has no advice: it could reveal the solution.
        self._advises = is_modified(exercise)
        self._causes: list[str] = []  # of the printed failures, in order
        self._more = 0  # further failures with the last of the causes
        self._earlier = 0  # further failures with one of the causes before

    def print_failure(self, failure: "Failure") -> None:
        """Print a failure unless one with the same cause was printed before."""
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
        """Print the problem, the number of further failures and the result of a finished check."""
        if result.problem:
            self._print_heading()
            _print_problem(result.problem)
        self._print_more()
        if self._earlier:
            message = "{count} more cases fail in a way that is shown above."
            if self._earlier == 1:
                message = "1 more case fails in a way that is shown above."
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
            message = "{count} more cases fail in the same way."
            if self._more == 1:
                message = "1 more case fails in the same way."
            print_line("\n  " + translate(message, count=self._more))
        self._more = 0


def print_next_step(exercise: Exercise) -> None:
    """Print the path of the work file and the command for a hint."""
    print_line("\n" + translate("Your file: {file}", file=relative_path(exercise.work_file)))
    print_line(translate("A hint:    {command}", command=f"{LEARN} hint {exercise.label}"))


def print_comparison(exercise: Exercise) -> None:
    """Print the command that shows the solution of a solved exercise."""
    command = f"{LEARN} solution {exercise.label}"
    print_line(translate("To compare it with a solution: {command}", command=command))


def print_hint(exercise: Exercise, number: int) -> None:
    """Print one hint; on a terminal no line ends inside of a word.

    Args:
        exercise: the exercise that the hint belongs to.
        number: the number of the hint, counted from 1.
    """
    text = translate(
        "Hint {number} of {count}: {hint}",
        number=number,
        count=len(exercise.hints),
        hint=translate(exercise.hints[number - 1]),
    )
    print_line("\n" + fit(text))


def print_stage_start(stage: Stage, *, new: bool) -> None:
    """Print where the learner builds a stage, and which commands belong to it."""
    where = relative_path(stage.work_folder)
    there = "" if new else f"  ({translate('was there already')})"
    print_line(f"{stage.label:24} {where}{there}")
    print_line(
        translate(
            "The page:  {page}", page=relative_path(stage.folder / "README.md").replace("\\", "/")
        )
    )
    print_line(translate("Run it:    {command}", command=f"{LEARN} run {where}"))
    print_line(translate("Check it:  {command}", command=f"{LEARN} check {stage.label}"))


def print_stage_result(stage: Stage, result: "StageResult") -> None:
    """Print each test that failed with the reason, then how many passed."""
    if result.problem:
        print_line(translate("The tests could not run:"), fg="red")
        print_line(textwrap.indent(result.problem, "  "))
        return
    for failure in result.failures:
        name = translate("stage {number}: {test}", number=failure.stage, test=failure.test)
        print_line(name, fg="red")
        print_line(textwrap.indent(failure.message, "    "))
    failed = len(result.failures)
    count = translate(
        "{passed} of {tests} pass",
        passed=result.tests - failed,
        tests=_count_tests(result.tests),
    )
    print_line(f"{stage.label:24} {count}", fg="red" if failed else "green")
    if failed:
        print_line()
        for number in sorted({failure.stage for failure in result.failures}):
            test_file = relative_path(stage.tests[number - 1])
            print_line(translate("The tests:  {file}", file=test_file))
        print_line(translate("A hint:     {command}", command=f"{LEARN} hint {stage.label}"))


def print_stage_hint(stage: Stage) -> None:
    """Print which files a stage changes, and by how many lines."""
    from course.stages import diff_files

    print_line(translate("What changes from the stage before:"))
    rows = []
    for name, lines in diff_files(stage.previous, stage.folder):
        added = sum(line.startswith("+") for line in lines[2:])
        removed = sum(line.startswith("-") for line in lines[2:])
        rows.append((f"  {name}", f"+{added}", f"-{removed}"))
    _print_table(rows)
    page = relative_path(stage.folder / "README.md")
    print_line("\n" + translate("The page explains it:  {page}", page=page))
    command = f"{LEARN} solution {stage.label}"
    print_line(translate("The whole change:      {command}", command=command))


def print_stage_diff(stage: Stage) -> None:
    """Print the diff from the stage before."""
    from course.stages import diff_files

    for _, lines in diff_files(stage.previous, stage.folder):
        for line in lines:
            colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            print_line(line, fg=colour)


def print_stage_reset(stage: Stage, kept: Path | None) -> None:
    """Print that the learner starts a stage again, and where the earlier version is kept."""
    message = "{label} {folder} is as it was at the start"
    if kept:
        message = "{label} {folder} is as it was at the start; yours is kept as {backup}"
    values = {"label": f"{stage.label:24}", "folder": relative_path(stage.work_folder)}
    if kept:
        values["backup"] = kept.name
    print_line(translate(message, **values))


def print_source(path: Path) -> None:
    """Print a Python file: with syntax colours on a terminal, as plain text otherwise."""
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
    """Return a key that is equal for failures with the same cause.

    The key is the line of the learner's code that raised, if any; otherwise the message without
    the part "sent". Ports, and numbers such as times in the program's output, differ in each test:
    they are replaced by 0.
    """
    parts: dict[str, list[str]] = {}
    label = ""
    for line in message.splitlines():
        # Labels are in the first 10 columns; further lines of a text have spaces there.
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
    """Print how many exercises of each lesson are solved, and the next exercise."""
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
