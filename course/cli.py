"""The commands of `python3 learn.py`.

Exit status: 0 for success; 1 when a check fails, or there is nothing to give; 2 for a name or an
option that does not exist; 130 after Ctrl-C.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from course import my_work
from course.catalog import Catalog, CatalogError, Exercise, UnknownNameError
from course.progress import Progress, Record
from learn import hand_over

ROOT = Path(__file__).resolve().parent.parent
FAILED = 1
WRONG_USE = 2
# For a command whose options belong to the program that it starts.
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
# Jupyter would ask its makers for news and updates.
OFFLINE = [
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]

app = typer.Typer(
    help="Learn Tornado by running it. Start with: list, then run 01, then check 01.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

LessonName = Annotated[str, typer.Argument(metavar="LESSON", help="01, 1, 01_hello or hello")]
Chosen = Annotated[
    str, typer.Argument(metavar="LESSON[/NAME]", help="01 for the whole lesson, or 01/NAME")
]


class Desk:
    """What the commands work with: the course on disk and the learner's progress."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.catalog = Catalog(root)
        self.progress = Progress(root / ".progress.json")

    def record(self, exercise: Exercise) -> Record:
        """The progress on one exercise."""
        return self.records().get(exercise.key, Record())

    def records(self) -> dict[str, Record]:
        """All progress, with a word to the learner when its file was broken."""
        records = self.progress.read()
        if self.progress.set_aside:
            typer.echo(
                f"learn.py: {self.progress.path.name} could not be read and is now "
                f"{self.progress.set_aside.name}. Your work is untouched: check it again.",
                err=True,
            )
            self.progress.set_aside = None
        return records

    def first_unsolved(self, text: str) -> Exercise:
        """The exercise that `text` names; of a whole lesson, the first that is not solved."""
        _, exercises = self.catalog.chosen(text)
        records = self.records()
        unsolved = (e for e in exercises if not records.get(e.key, Record()).solved)
        return next(unsolved, exercises[0])


@app.callback(invoke_without_command=True)
def menu(
    context: typer.Context,
    root: Annotated[Path, typer.Option(hidden=True, help="the folder of the course")] = ROOT,
) -> None:
    context.obj = Desk(root.resolve())
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("list", rich_help_panel="Learn")
def list_(
    context: typer.Context, lesson: Annotated[str, typer.Argument(help="only this one")] = ""
) -> None:
    """Show the lessons, their scripts and exercises, and what is done."""
    from course import report

    desk: Desk = context.obj
    lessons = [desk.catalog.lesson(lesson)] if lesson else desk.catalog.lessons
    report.list_lessons(lessons, desk.records())


# What follows the script is the script's, --help too.
@app.command(context_settings=PASS_ON | {"allow_interspersed_args": False}, rich_help_panel="Learn")
def run(
    context: typer.Context,
    script: Annotated[
        str, typer.Argument(metavar="LESSON[/NAME]", help="01 for its app.py, or 01/NAME")
    ],
) -> None:
    """Run a script, or your copy of an exercise. Options go to it: run 01 --port=9000."""
    found = context.obj.catalog.script(script)
    if isinstance(found, Exercise):
        my_work.start(found)
    path = found.copy if isinstance(found, Exercise) else found.path
    launch = [sys.executable, "-m", "course.launch", str(path), *context.args]
    raise typer.Exit(hand_over(launch))


@app.command(rich_help_panel="Learn")
def start(context: typer.Context, exercises: Chosen) -> None:
    """Copy an exercise's stub to my_work/, where you work on it."""
    from course import report

    for exercise in context.obj.catalog.chosen(exercises)[1]:
        new = my_work.start(exercise)
        report.say(
            f"{exercise.label:24} {report.relative(exercise.copy)}"
            f"{'' if new else '  (was there already)'}"
        )


@app.command(rich_help_panel="Learn")
def check(context: typer.Context, exercises: Chosen) -> None:
    """Check your exercises, and say what is missing."""
    from course.checking import check_all

    _, chosen = context.obj.catalog.chosen(exercises)
    if not check_all(chosen, context.obj.progress):
        raise typer.Exit(FAILED)


@app.command(rich_help_panel="Learn")
def watch(context: typer.Context, exercises: Chosen) -> None:
    """Check again whenever you save; goes on to the next exercise when one is solved."""
    from course.watch import watch_exercises

    _, chosen = context.obj.catalog.chosen(exercises)
    watch_exercises(chosen, context.obj.progress)


@app.command(rich_help_panel="Learn")
def hint(context: typer.Context, exercise: Chosen) -> None:
    """Give the next hint; of a whole lesson, for the first exercise that is not solved."""
    from course import report

    desk: Desk = context.obj
    found = desk.first_unsolved(exercise)
    my_work.start(found)
    record = desk.record(found)
    record.hints = min(record.hints + 1, len(found.hints))
    desk.progress.write(found.key, record)
    report.introduce(found)
    report.say(f"\nHint {record.hints} of {len(found.hints)}: {found.hints[record.hints - 1]}")
    report.say(f"\nYour file: {report.relative(found.copy)}")
    if record.hints == len(found.hints):
        report.say(f"This was the last one. After a try: {report.LEARN} solution {found.label}")


@app.command(rich_help_panel="Learn")
def solution(
    context: typer.Context,
    exercise: Chosen,
    yes: Annotated[bool, typer.Option("--yes", help="show it before a first try")] = False,
) -> None:
    """Show a solution, once you have tried."""
    from course import report

    desk: Desk = context.obj
    found = desk.first_unsolved(exercise)
    if not (yes or desk.record(found).tries):
        report.say(
            f"Try it first: change {report.relative(found.copy)}, then "
            f"{report.LEARN} check {found.label}. (--yes shows the solution anyway.)"
        )
        raise typer.Exit(FAILED)
    report.source(found.solution)


@app.command(rich_help_panel="Learn")
def reset(context: typer.Context, exercises: Chosen) -> None:
    """Begin again: puts the stub back, and keeps your version beside it."""
    from course import report

    for exercise in context.obj.catalog.chosen(exercises)[1]:
        kept = my_work.reset(exercise)
        context.obj.progress.write(exercise.key, None)
        report.say(
            f"{exercise.label:24} {report.relative(exercise.copy)} is the stub again"
            + (f"; yours is kept as {kept.name}" if kept else "")
        )


@app.command(rich_help_panel="Learn")
def progress(context: typer.Context) -> None:
    """Show how much is solved, and what comes next."""
    from course import report

    report.progress(context.obj.catalog.lessons, context.obj.records())


@app.command(context_settings=PASS_ON, rich_help_panel="Learn")
def notebook(context: typer.Context, lesson: LessonName) -> None:
    """Open a lesson's notebook in Jupyter. Options go to it: notebook 01 --no-browser."""
    path = context.obj.catalog.notebook(lesson)
    jupyter = [sys.executable, "-m", "jupyterlab", str(path), *OFFLINE, *context.args]
    raise typer.Exit(hand_over(jupyter))


@app.command(context_settings=PASS_ON, add_help_option=False, rich_help_panel="The chat")
def chat(context: typer.Context) -> None:
    """Start the chat at http://localhost:8888. Options go to it: chat --port=9000 --data=DIR."""
    raise typer.Exit(hand_over([sys.executable, "-m", "capstone_chat", *context.args]))


@app.command(context_settings=PASS_ON, add_help_option=False, rich_help_panel="The course itself")
def test(context: typer.Context) -> None:
    """Run the course's own tests. Options go to pytest: test -k hello."""
    # More workers than there are cores, because many tests wait for servers and programs; each
    # begins with a part of its own, which keeps the tests that share a browser together. Another
    # -n among the options comes later and wins.
    cores = os.cpu_count() or 1
    workers = [f"--numprocesses={cores + min(cores, 4)}", "--dist=worksteal"]
    # The tests start hundreds of programs: each would compile the same files anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    pytest = [sys.executable, "-m", "pytest", f"--rootdir={ROOT}", *workers]
    raise typer.Exit(hand_over([*pytest, *context.args]))


@app.command(context_settings=PASS_ON, add_help_option=False, rich_help_panel="The course itself")
def bench(context: typer.Context) -> None:
    """Measure the chat against its peers. Options go to it: bench --quick, bench --list."""
    raise typer.Exit(hand_over([sys.executable, "-m", "benchmarks", *context.args]))


def main() -> None:
    """Run the command line; a wrong name or a broken course is one line, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # A Windows console that cannot show a character must not end the program.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app(prog_name="learn.py")
    except UnknownNameError as unknown:
        typer.echo(f"learn.py: {unknown}", err=True)
        sys.exit(WRONG_USE)
    except CatalogError as broken:
        typer.echo(f"learn.py: {broken}", err=True)
    except OSError as problem:
        typer.echo(f"learn.py: {problem.strerror}: {problem.filename}", err=True)
    sys.exit(FAILED)
