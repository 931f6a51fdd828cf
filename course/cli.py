"""The commands of `python3 learn.py`.

Exit status: 0 for success; 1 when a check fails, or there is nothing to give; 2 for a name or an
option that does not exist; 130 after Ctrl-C.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from course import workspace
from course.catalog import Catalog, CatalogError, Exercise, Script, UnknownNameError
from course.environment import exec_command
from course.progress import ExerciseProgress, Progress
from course.translation import translate

ROOT = Path(__file__).resolve().parent.parent
FAILED = 1
USAGE_ERROR = 2
INTERRUPTED = 130
# For a command whose options belong to the program that it starts.
FORWARD_OPTIONS = {"allow_extra_args": True, "ignore_unknown_options": True}
# Jupyter would ask its makers for news and updates.
OFFLINE = [
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]
SECTIONS = {"chat": "The chat", "test": "The course itself", "bench": "The course itself"}
"""Where the menu shows a command, if not under "Learn"."""


class AppState:
    """What the commands work with: the course on disk and the learner's progress."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.catalog = Catalog(root)
        self.progress = Progress(root / ".progress.json")

    def record(self, exercise: Exercise) -> ExerciseProgress:
        """The progress on one exercise."""
        return self.records().get(exercise.key, ExerciseProgress())

    def records(self) -> dict[str, ExerciseProgress]:
        """All progress, with a word to the learner when its file was broken."""
        records = self.progress.read()
        if self.progress.corrupt_copy:
            click.echo(
                translate(
                    "learn.py: {file} could not be read and is now {backup}. Your work is "
                    "untouched: check it again.",
                    file=self.progress.path.name,
                    backup=self.progress.corrupt_copy.name,
                ),
                err=True,
            )
            self.progress.corrupt_copy = None
        return records

    def select_exercises(self, text: str) -> Sequence[Exercise]:
        """The exercises that `text` names; without a text the next that is not solved."""
        return self.catalog.select_exercises(text)[1] if text else [self.first_unsolved("")]

    def first_unsolved(self, text: str) -> Exercise:
        """The exercise that `text` names; of a lesson, or of all, the first that is not solved."""
        every = [] if text else list(self.catalog.exercises())
        exercises = self.catalog.select_exercises(text)[1] if text else every
        if not exercises:
            raise UnknownNameError(translate("The course has no exercises."))
        records = self.records()
        unsolved = (e for e in exercises if not records.get(e.key, ExerciseProgress()).solved)
        return next(unsolved, exercises[0])


class Menu(click.Group):
    """Lists its commands in sections, in the order in which they are written."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            about = translate((command.help or "").partition("\n")[0])
            rows.setdefault(SECTIONS.get(name, "Learn"), []).append((name, about))
        for section, commands in rows.items():
            with formatter.section(translate(section)):
                formatter.write_dl(commands)


@click.group(cls=Menu, invoke_without_command=True)
@click.option("--root", type=Path, default=ROOT, hidden=True, help="the folder of the course")
@click.pass_context
def app(context: click.Context, root: Path) -> None:
    """Learn Tornado by running it. Start with: list, then run 01, then check 01."""
    context.obj = AppState(root.resolve())
    if os.environ.get("NO_COLOR"):
        context.color = False
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


# What the names of lessons, scripts and exercises may look like.
lesson_argument = click.argument("lesson", metavar="LESSON")
name_argument = click.argument("name", metavar="LESSON[/NAME]")
# Without a name it is the next exercise.
optional_name_argument = click.argument("name", metavar="[LESSON[/NAME]]", default="")


@app.command("list")
@click.argument("lesson", default="")
@click.pass_obj
def list_(state: AppState, lesson: str) -> None:
    """Show the lessons and what is done; list 01 shows the scripts and exercises of a lesson."""
    from course import console

    if lesson:
        console.print_lesson(state.catalog.lesson(lesson), state.records())
    else:
        console.print_lessons(state.catalog.lessons, state.records())


# What follows the script is the script's, --help too.
@app.command(context_settings=FORWARD_OPTIONS | {"allow_interspersed_args": False})
@optional_name_argument
@click.pass_context
def run(context: click.Context, name: str) -> None:
    """Run a script, or your copy of an exercise; options go to it: run 02 --port=9000.

    01 stands for the app.py of the lesson. Without a name it is the lesson of the next exercise.
    """
    state: AppState = context.obj
    found = state.catalog.find_runnable(name or state.first_unsolved("").lesson)
    if isinstance(found, Exercise):
        workspace.copy_stub(found)
    path = found.work_file if isinstance(found, Exercise) else found.path
    command = [sys.executable, "-m", "course.script_launcher", str(path), *context.args]
    context.exit(exec_command(command))


@app.command()
@name_argument
@click.pass_context
def demo(context: click.Context, name: str) -> None:
    """Start a script, run the commands that its page has for it, and stop it: demo 01/routing."""
    from course import console
    from course.demo import BREAK_COMMAND, RUN_COMMAND, DemoError, run_session, sessions_of

    script = require_script(context, name)
    sessions = sessions_of(script.path)
    if not sessions:
        console.print_line(
            translate("No page of the lesson has commands for {label}.", label=script.label)
        )
        context.exit(FAILED)
    all_match = True
    try:
        for session in sessions:
            console.print_session(session)
            if not session.commands[0][0].startswith((RUN_COMMAND, BREAK_COMMAND)):
                note = "(the changed copy is started)" if session.changes else "(started again)"
                console.print_line(translate(note), dim=True)
            for result in run_session(session):
                all_match &= result.matches_page
                console.print_command(result)
            console.print_line("(stopped)", dim=True)
    except DemoError as problem:
        click.echo(f"learn.py: {problem}", err=True)
        context.exit(FAILED)
    if not all_match:
        context.exit(FAILED)


@app.command("break", context_settings=FORWARD_OPTIONS)
@name_argument
@click.option("--undo", is_flag=True, help="remove the changed copy")
@click.pass_context
def break_(context: click.Context, name: str, undo: bool) -> None:
    """Make the change of "Break it" in a copy, and start the copy: break 01/response_output."""
    from course import changes, console

    catalog = context.obj.catalog
    script = require_script(context, name)
    if undo:
        there = changes.remove_copy(catalog, script)
        message = "The changed copy of {label} is removed."
        if not there:
            message = "There is no changed copy of {label}."
        console.print_line(translate(message, label=script.label))
        return
    try:
        session = changes.find_change(catalog, script)
        copy = changes.make_copy(catalog, script)
    except changes.NoChangeError as problem:
        console.print_line(str(problem))
        context.exit(FAILED)
    for block in session.changes:
        where = console.relative_path(copy.parent / block.source)
        console.print_line(translate("{file} is a copy with this change:\n", file=where))
        console.print_line(block.text)
    command = [sys.executable, "-m", "course.script_launcher", str(copy)]
    options = session.block.arguments
    context.exit(exec_command([*command, *options, *context.args]))


@app.command()
@name_argument
@click.pass_context
def restore(context: click.Context, name: str) -> None:
    """Put a lesson's script back as it was, and keep your version beside it."""
    from course import changes, console

    script = require_script(context, name)
    try:
        kept = changes.restore(script.path, context.obj.root)
    except changes.NotRestoredError as problem:
        click.echo(f"learn.py: {problem}", err=True)
        context.exit(FAILED)
    where = console.relative_path(script.path)
    if kept:
        console.print_line(
            translate(
                "{where} is as it was; your version is kept as {name}", where=where, name=kept.name
            )
        )
    else:
        console.print_line(translate("{where} was not changed.", where=where))


def require_script(context: click.Context, name: str) -> Script:
    """Return the script that a name means; an exercise is a wrong name here."""
    state: AppState = context.obj
    found = state.catalog.find_runnable(name)
    if isinstance(found, Exercise):
        raise UnknownNameError(
            translate("{label} is an exercise. This command is for scripts.", label=found.label)
        )
    return found


@app.command()
@name_argument
@click.pass_obj
def start(state: AppState, name: str) -> None:
    """Copy an exercise's stub to my_work/, where you work on it."""
    from course import console

    for exercise in state.catalog.select_exercises(name)[1]:
        new = workspace.copy_stub(exercise)
        console.print_line(
            f"{exercise.label:24} {console.relative_path(exercise.work_file)}"
            + ("" if new else f"  ({translate('was there already')})")
        )


@app.command()
@optional_name_argument
@click.pass_context
def check(context: click.Context, name: str) -> None:
    """Check your exercises, and say what is missing."""
    from course.checking.session import check_all

    if not check_all(context.obj.select_exercises(name), context.obj.progress):
        context.exit(FAILED)


@app.command()
@optional_name_argument
@click.pass_obj
def watch(state: AppState, name: str) -> None:
    """Check again whenever you save; goes on to the next exercise when one is solved."""
    from course.watch import watch_exercises

    watch_exercises(state.select_exercises(name), state.progress)


@app.command()
@optional_name_argument
@click.pass_obj
def hint(state: AppState, name: str) -> None:
    """Give the next hint; of a whole lesson, for the first exercise that is not solved."""
    from course import console

    found = state.first_unsolved(name)
    workspace.copy_stub(found)
    record = state.record(found)
    console.print_goal(found)
    if record.solved:  # the number of hints that were needed stays
        for number, each in enumerate(found.hints, 1):
            console.print_line(
                translate(
                    "\nHint {number} of {count}: {hint}",
                    number=number,
                    count=len(found.hints),
                    hint=translate(each),
                )
            )
        return
    record.hints = min(record.hints + 1, len(found.hints))
    state.progress.write(found.key, record)
    console.print_line(
        translate(
            "\nHint {number} of {count}: {hint}",
            number=record.hints,
            count=len(found.hints),
            hint=translate(found.hints[record.hints - 1]),
        )
    )
    console.print_line(
        translate("\nYour file: {copy}", copy=console.relative_path(found.work_file))
    )
    if record.hints == len(found.hints):
        console.print_line(
            translate(
                "This was the last one. After a try: {learn} solution {label}",
                learn=console.LEARN,
                label=found.label,
            )
        )


@app.command()
@name_argument
@click.option("--yes", is_flag=True, help="show it before a first try")
@click.pass_context
def solution(context: click.Context, name: str, yes: bool) -> None:
    """Show a solution, once you have tried."""
    from course import console

    state: AppState = context.obj
    found = state.first_unsolved(name)
    if not (yes or state.record(found).tries):
        console.print_line(
            translate(
                "Try it first: change {copy}, then {learn} check {label}. (--yes shows the "
                "solution anyway.)",
                copy=console.relative_path(found.work_file),
                learn=console.LEARN,
                label=found.label,
            )
        )
        context.exit(FAILED)
    console.print_source(found.solution)


@app.command()
@name_argument
@click.pass_obj
def reset(state: AppState, name: str) -> None:
    """Begin again: puts the stub back, and keeps your version beside it."""
    from course import console

    for exercise in state.catalog.select_exercises(name)[1]:
        kept = workspace.reset(exercise)
        state.progress.write(exercise.key, None)
        console.print_line(
            translate(
                "{label} {file} is the stub again; yours is kept as {backup}"
                if kept
                else "{label} {file} is the stub again",
                label=f"{exercise.label:24}",
                file=console.relative_path(exercise.work_file),
                backup=kept and kept.name,
            )
        )


@app.command()
@click.pass_obj
def progress(state: AppState) -> None:
    """Show how much is solved, and what comes next."""
    from course import console

    console.print_progress(state.catalog.lessons, state.records())


@app.command(context_settings=FORWARD_OPTIONS)
@lesson_argument
@click.pass_context
def notebook(context: click.Context, lesson: str) -> None:
    """Open a lesson's notebook in Jupyter; options go to it: notebook 01 --no-browser."""
    path = context.obj.catalog.notebook(lesson)
    jupyter = [sys.executable, "-m", "jupyterlab", str(path), *OFFLINE, *context.args]
    context.exit(exec_command(jupyter))


@app.command(context_settings=FORWARD_OPTIONS, add_help_option=False)
@click.pass_context
def chat(context: click.Context) -> None:
    """Start the chat at http://localhost:8888; options go to it: chat --port=9000 --data=DIR."""
    context.exit(exec_command([sys.executable, "-m", "capstone_chat", *context.args]))


@app.command(context_settings=FORWARD_OPTIONS, add_help_option=False)
@click.pass_context
def test(context: click.Context) -> None:
    """Run the course's own tests; options go to pytest: test -k hello."""
    # More workers than there are cores, because many tests wait for servers and programs; each
    # begins with a part of its own, which keeps the tests that share a browser together. Another
    # -n among the options comes later and wins.
    cores = os.cpu_count() or 1
    workers = [f"--numprocesses={cores + min(cores, 4)}", "--dist=worksteal"]
    # The tests start hundreds of programs: each would compile the same files anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    pytest = [sys.executable, "-m", "pytest", f"--rootdir={ROOT}", *workers]
    context.exit(exec_command([*pytest, *context.args]))


@app.command(context_settings=FORWARD_OPTIONS, add_help_option=False)
@click.pass_context
def bench(context: click.Context) -> None:
    """Measure the chat against its peers; options go to it: bench --quick, bench --list."""
    context.exit(exec_command([sys.executable, "-m", "benchmarks", *context.args]))


def main() -> None:
    """Run the command line; a wrong name or a broken course is one line, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # A Windows console that cannot show a character must not end the program.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(app.main(prog_name="learn.py", standalone_mode=False))
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except click.Abort:
        sys.exit(INTERRUPTED)
    except UnknownNameError as unknown:
        click.echo(f"learn.py: {unknown}", err=True)
        sys.exit(USAGE_ERROR)
    except CatalogError as broken:
        click.echo(f"learn.py: {broken}", err=True)
    except OSError as problem:
        click.echo(f"learn.py: {problem.strerror}: {problem.filename}", err=True)
    sys.exit(FAILED)
