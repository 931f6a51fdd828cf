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

from course import my_work
from course.catalog import Catalog, CatalogError, Exercise, Script, UnknownNameError
from course.environment import hand_over
from course.progress import Progress, Record
from course.translation import translate

ROOT = Path(__file__).resolve().parent.parent
FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130
# For a command whose options belong to the program that it starts.
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
# Jupyter would ask its makers for news and updates.
OFFLINE = [
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]
SECTIONS = {"chat": "The chat", "test": "The course itself", "bench": "The course itself"}
"""Where the menu shows a command, if not under "Learn"."""


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
            click.echo(
                translate(
                    "learn.py: {file} could not be read and is now {backup}. Your work is "
                    "untouched: check it again.",
                    file=self.progress.path.name,
                    backup=self.progress.set_aside.name,
                ),
                err=True,
            )
            self.progress.set_aside = None
        return records

    def chosen(self, text: str) -> Sequence[Exercise]:
        """The exercises that `text` names; without a text the next that is not solved."""
        return self.catalog.chosen(text)[1] if text else [self.first_unsolved("")]

    def first_unsolved(self, text: str) -> Exercise:
        """The exercise that `text` names; of a lesson, or of all, the first that is not solved."""
        every = [] if text else list(self.catalog.exercises())
        exercises = self.catalog.chosen(text)[1] if text else every
        if not exercises:
            raise UnknownNameError(translate("The course has no exercises."))
        records = self.records()
        unsolved = (e for e in exercises if not records.get(e.key, Record()).solved)
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
    context.obj = Desk(root.resolve())
    if os.environ.get("NO_COLOR"):
        context.color = False
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


# What the names of lessons, scripts and exercises may look like.
lesson = click.argument("lesson", metavar="LESSON")
chosen = click.argument("name", metavar="LESSON[/NAME]")
# Without a name it is the next exercise.
chosen_or_next = click.argument("name", metavar="[LESSON[/NAME]]", default="")


@app.command("list")
@click.argument("lesson", default="")
@click.pass_obj
def list_(desk: Desk, lesson: str) -> None:
    """Show the lessons and what is done; list 01 shows the scripts and exercises of a lesson."""
    from course import report

    if lesson:
        report.list_lesson(desk.catalog.lesson(lesson), desk.records())
    else:
        report.list_lessons(desk.catalog.lessons, desk.records())


# What follows the script is the script's, --help too.
@app.command(context_settings=PASS_ON | {"allow_interspersed_args": False})
@chosen_or_next
@click.pass_context
def run(context: click.Context, name: str) -> None:
    """Run a script, or your copy of an exercise; options go to it: run 02 --port=9000.

    01 stands for the app.py of the lesson. Without a name it is the lesson of the next exercise.
    """
    desk: Desk = context.obj
    found = desk.catalog.script(name or desk.first_unsolved("").lesson)
    if isinstance(found, Exercise):
        my_work.start(found)
    path = found.copy if isinstance(found, Exercise) else found.path
    launch = [sys.executable, "-m", "course.launch", str(path), *context.args]
    context.exit(hand_over(launch))


@app.command()
@chosen
@click.pass_context
def demo(context: click.Context, name: str) -> None:
    """Start a script, run the commands that its page has for it, and stop it: demo 01/routing."""
    from course import report
    from course.demo import BREAK, RUN, DemoError, demos, play

    script = script_of(context, name)
    sessions = demos(script.path)
    if not sessions:
        report.say(translate("No page of the lesson has commands for {label}.", label=script.label))
        context.exit(FAILED)
    as_shown = True
    try:
        for session in sessions:
            report.session(session)
            if not session.commands[0][0].startswith((RUN, BREAK)):
                begun = "(the changed copy is started)" if session.changes else "(started again)"
                report.say(translate(begun), dim=True)
            for ran in play(session):
                as_shown &= ran.as_shown
                report.ran(ran)
            report.say("(stopped)", dim=True)
    except DemoError as problem:
        click.echo(f"learn.py: {problem}", err=True)
        context.exit(FAILED)
    if not as_shown:
        context.exit(FAILED)


@app.command("break", context_settings=PASS_ON)
@chosen
@click.option("--undo", is_flag=True, help="remove the changed copy")
@click.pass_context
def break_(context: click.Context, name: str, undo: bool) -> None:
    """Make the change of "Break it" in a copy, and start the copy: break 01/response_output."""
    from course import changes, report

    catalog = context.obj.catalog
    script = script_of(context, name)
    if undo:
        there = changes.undo(catalog, script)
        message = "The changed copy of {label} is removed."
        if not there:
            message = "There is no changed copy of {label}."
        report.say(translate(message, label=script.label))
        return
    try:
        session = changes.change_of(catalog, script)
        copy = changes.make(catalog, script)
    except changes.NoChangeError as problem:
        report.say(str(problem))
        context.exit(FAILED)
    for block in session.changes:
        where = report.relative(copy.parent / block.source)
        report.say(translate("{file} is a copy with this change:\n", file=where))
        report.say(block.text)
    launch = [sys.executable, "-m", "course.launch", str(copy)]
    options = session.block.arguments
    context.exit(hand_over([*launch, *options, *context.args]))


@app.command()
@chosen
@click.pass_context
def restore(context: click.Context, name: str) -> None:
    """Put a lesson's script back as it was, and keep your version beside it."""
    from course import changes, report

    script = script_of(context, name)
    try:
        kept = changes.restore(script.path, context.obj.root)
    except changes.NotRestoredError as problem:
        click.echo(f"learn.py: {problem}", err=True)
        context.exit(FAILED)
    where = report.relative(script.path)
    if kept:
        report.say(
            translate(
                "{where} is as it was; your version is kept as {name}", where=where, name=kept.name
            )
        )
    else:
        report.say(translate("{where} was not changed.", where=where))


def script_of(context: click.Context, name: str) -> Script:
    """Return the script that a name means; an exercise is a wrong name here."""
    desk: Desk = context.obj
    found = desk.catalog.script(name)
    if isinstance(found, Exercise):
        raise UnknownNameError(
            translate("{label} is an exercise. This command is for scripts.", label=found.label)
        )
    return found


@app.command()
@chosen
@click.pass_obj
def start(desk: Desk, name: str) -> None:
    """Copy an exercise's stub to my_work/, where you work on it."""
    from course import report

    for exercise in desk.catalog.chosen(name)[1]:
        new = my_work.start(exercise)
        report.say(
            f"{exercise.label:24} {report.relative(exercise.copy)}"
            + ("" if new else f"  ({translate('was there already')})")
        )


@app.command()
@chosen_or_next
@click.pass_context
def check(context: click.Context, name: str) -> None:
    """Check your exercises, and say what is missing."""
    from course.checking import check_all

    if not check_all(context.obj.chosen(name), context.obj.progress):
        context.exit(FAILED)


@app.command()
@chosen_or_next
@click.pass_obj
def watch(desk: Desk, name: str) -> None:
    """Check again whenever you save; goes on to the next exercise when one is solved."""
    from course.watch import watch_exercises

    watch_exercises(desk.chosen(name), desk.progress)


@app.command()
@chosen_or_next
@click.pass_obj
def hint(desk: Desk, name: str) -> None:
    """Give the next hint; of a whole lesson, for the first exercise that is not solved."""
    from course import report

    found = desk.first_unsolved(name)
    my_work.start(found)
    record = desk.record(found)
    report.introduce(found)
    if record.solved:  # the number of hints that were needed stays
        for number, each in enumerate(found.hints, 1):
            report.say(
                translate(
                    "\nHint {number} of {count}: {hint}",
                    number=number,
                    count=len(found.hints),
                    hint=translate(each),
                )
            )
        return
    record.hints = min(record.hints + 1, len(found.hints))
    desk.progress.write(found.key, record)
    report.say(
        translate(
            "\nHint {number} of {count}: {hint}",
            number=record.hints,
            count=len(found.hints),
            hint=translate(found.hints[record.hints - 1]),
        )
    )
    report.say(translate("\nYour file: {copy}", copy=report.relative(found.copy)))
    if record.hints == len(found.hints):
        report.say(
            translate(
                "This was the last one. After a try: {learn} solution {label}",
                learn=report.LEARN,
                label=found.label,
            )
        )


@app.command()
@chosen
@click.option("--yes", is_flag=True, help="show it before a first try")
@click.pass_context
def solution(context: click.Context, name: str, yes: bool) -> None:
    """Show a solution, once you have tried."""
    from course import report

    desk: Desk = context.obj
    found = desk.first_unsolved(name)
    if not (yes or desk.record(found).tries):
        report.say(
            translate(
                "Try it first: change {copy}, then {learn} check {label}. (--yes shows the "
                "solution anyway.)",
                copy=report.relative(found.copy),
                learn=report.LEARN,
                label=found.label,
            )
        )
        context.exit(FAILED)
    report.source(found.solution)


@app.command()
@chosen
@click.pass_obj
def reset(desk: Desk, name: str) -> None:
    """Begin again: puts the stub back, and keeps your version beside it."""
    from course import report

    for exercise in desk.catalog.chosen(name)[1]:
        kept = my_work.reset(exercise)
        desk.progress.write(exercise.key, None)
        report.say(
            translate(
                "{label} {file} is the stub again; yours is kept as {backup}"
                if kept
                else "{label} {file} is the stub again",
                label=f"{exercise.label:24}",
                file=report.relative(exercise.copy),
                backup=kept and kept.name,
            )
        )


@app.command()
@click.pass_obj
def progress(desk: Desk) -> None:
    """Show how much is solved, and what comes next."""
    from course import report

    report.progress(desk.catalog.lessons, desk.records())


@app.command(context_settings=PASS_ON)
@lesson
@click.pass_context
def notebook(context: click.Context, lesson: str) -> None:
    """Open a lesson's notebook in Jupyter; options go to it: notebook 01 --no-browser."""
    path = context.obj.catalog.notebook(lesson)
    jupyter = [sys.executable, "-m", "jupyterlab", str(path), *OFFLINE, *context.args]
    context.exit(hand_over(jupyter))


@app.command(context_settings=PASS_ON, add_help_option=False)
@click.pass_context
def chat(context: click.Context) -> None:
    """Start the chat at http://localhost:8888; options go to it: chat --port=9000 --data=DIR."""
    context.exit(hand_over([sys.executable, "-m", "capstone_chat", *context.args]))


@app.command(context_settings=PASS_ON, add_help_option=False)
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
    context.exit(hand_over([*pytest, *context.args]))


@app.command(context_settings=PASS_ON, add_help_option=False)
@click.pass_context
def bench(context: click.Context) -> None:
    """Measure the chat against its peers; options go to it: bench --quick, bench --list."""
    context.exit(hand_over([sys.executable, "-m", "benchmarks", *context.args]))


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
        sys.exit(WRONG_USE)
    except CatalogError as broken:
        click.echo(f"learn.py: {broken}", err=True)
    except OSError as problem:
        click.echo(f"learn.py: {problem.strerror}: {problem.filename}", err=True)
    sys.exit(FAILED)
