"""The commands of `python3 learn.py`.

Exit status: 0 for success; 1 if a check fails, or there is nothing to show; 2 for a name or an
option that does not exist; 130 after Ctrl-C.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from capstone_chat import __version__
from course import workspace
from course.catalog import Catalog, CatalogError, Exercise, Script, Stage, UnknownNameError
from course.environment import exec_command
from course.progress import ExerciseProgress, Progress
from course.translation import translate

ROOT = Path(__file__).resolve().parent.parent
FAILED = 1
USAGE_ERROR = 2
INTERRUPTED = 130
# For a command that hands its options to the program that it starts.
FORWARD_OPTIONS = {"allow_extra_args": True, "ignore_unknown_options": True}
SECTIONS = {"chat": "The chat"} | dict.fromkeys(("test", "bench", "site"), "The course itself")
"""The section of the menu that lists a command. All other commands are under "Learn"."""


class AppState:
    """State that the commands share: the course on disk and the learner's progress."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.catalog = Catalog(root)
        self.progress = Progress(root / ".progress.json")

    def record(self, exercise: Exercise) -> ExerciseProgress:
        """Return the progress on one exercise."""
        return self.records().get(exercise.key, ExerciseProgress())

    def records(self) -> dict[str, ExerciseProgress]:
        """Return the progress on all exercises; tell the learner if its file was damaged."""
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
        """Return the exercises that `text` names; without a text, the first unsolved exercise."""
        return self.catalog.select_exercises(text)[1] if text else [self.first_unsolved("")]

    def first_unsolved(self, text: str) -> Exercise:
        """Return one exercise: the one that `text` names, or the first unsolved one.

        Args:
            text: an exercise; a lesson, for its first unsolved exercise; "" for that of the course.

        Returns:
            The exercise. If all of them are solved, it is the first one.

        Raises:
            UnknownNameError: there is no such exercise, or the course has none.
        """
        every = [] if text else list(self.catalog.exercises())
        exercises = self.catalog.select_exercises(text)[1] if text else every
        if not exercises:
            raise UnknownNameError(translate("The course has no exercises."))
        records = self.records()
        unsolved = (e for e in exercises if not records.get(e.key, ExerciseProgress()).solved)
        return next(unsolved, exercises[0])


class PortType(click.ParamType[int]):
    """A port on the command line."""

    name = "port"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the port; another value is an error that says what to write."""
        if not str(value).isascii() or not str(value).isdecimal() or int(value) > 65535:
            self.fail(translate("write a whole number from 0 to 65535, with the digits 0 to 9"))
        return int(value)


class Menu(click.Group):
    """A command group that lists its commands in sections, in the order of their definitions."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of their definitions."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands to the help, section by section."""
        rows: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            about = translate((command.help or "").partition("\n")[0])
            rows.setdefault(SECTIONS.get(name, "Learn"), []).append((name, about))
        for section, commands in rows.items():
            with formatter.section(translate(section)):
                formatter.write_dl(commands)


@click.group(cls=Menu, invoke_without_command=True)
@click.version_option(__version__, prog_name="Learn Tornado")
@click.option("--root", type=Path, default=ROOT, hidden=True, help="the folder of the course")
@click.pass_context
def app(context: click.Context, root: Path) -> None:
    """Learn Tornado by running it. Without a command, the tour opens in a browser."""
    context.obj = AppState(root.resolve())
    if os.environ.get("NO_COLOR"):
        context.color = False
    if context.invoked_subcommand is None:
        context.invoke(tour)


# The forms in which the help shows the names of lessons, scripts and exercises.
lesson_argument = click.argument("lesson", metavar="LESSON")
name_argument = click.argument("name", metavar="LESSON[/NAME]")
# Without a name the command uses the first unsolved exercise.
optional_name_argument = click.argument("name", metavar="[LESSON[/NAME]]", default="")


@app.command()
@click.argument("place", metavar="[LESSON[/NAME]]", default="")
@click.option("--port", type=PortType(), help="the port of the tour")
@click.option("--no-browser", is_flag=True, help="only print the address")
@click.option("--host", default="", help="the name under which a proxy shows it (Codespaces)")
@click.pass_obj
def tour(state: AppState, place: str, port: int | None, no_browser: bool, host: str) -> None:
    """Open the lessons, an editor and their results in a browser: tour 01, tour 01/3."""
    from course import console
    from course.tour.server import PortTakenError, open_tour

    try:
        open_tour(
            state.catalog,
            state.progress,
            start=find_tour_page(state.catalog, place),
            port=port,
            browser=not no_browser,
            forwarded_host=host,
        )
    except PortTakenError as problem:
        console.print_error(problem)
        sys.exit(FAILED)


def find_tour_page(catalog: Catalog, text: str) -> str:
    """Return the address in the tour of a lesson or something in it; "" is the map.

    Args:
        catalog: the course.
        text: a lesson, a step such as `01/3`, a stage, a script or an exercise.

    Raises:
        UnknownNameError: there is none.
    """
    if not text:
        return "/"
    from course.pages import find_step

    if stage := catalog.find_stage(text):
        return f"/{stage.lesson.partition('_')[0]}/{stage.folder.name}"
    lesson_name, slash, number = text.rpartition("/")
    if slash and number.isdecimal():
        lesson = catalog.lesson(lesson_name)
        return f"/{lesson.number}/{find_step(lesson, int(number)).number}"
    found = catalog.find_runnable(text)
    number = found.lesson.partition("_")[0]
    return f"/exercise/{found.label}" if isinstance(found, Exercise) else f"/{number}"


@app.command("list")
@click.argument("lesson", default="")
@click.pass_obj
def list_(state: AppState, lesson: str) -> None:
    """Show the lessons and your progress; list 01 shows the scripts and exercises of a lesson."""
    from course import console

    if lesson:
        console.print_lesson(state.catalog.lesson(lesson), state.records())
    else:
        console.print_lessons(state.catalog.lessons, state.records())


# All options after the script's name belong to the script, --help too.
@app.command(context_settings=FORWARD_OPTIONS | {"allow_interspersed_args": False})
@optional_name_argument
@click.pass_context
def run(context: click.Context, name: str) -> None:
    """Run a script, or your copy of an exercise, with its options: run 02 --port=9000.

    01 stands for the app.py of the lesson. Without a name, the lesson of the next exercise is run.
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
            if session.serves:
                console.print_line("(stopped)", dim=True)
    except DemoError as problem:
        console.print_error(problem)
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
        console.print_line(console.fit(str(problem)))
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
    """Restore a lesson's script, and keep your version beside it."""
    from course import changes, console

    script = require_script(context, name)
    try:
        kept = changes.restore(script.path, context.obj.root)
    except changes.NotRestoredError as problem:
        console.print_error(problem)
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
    """Return the script of a name.

    Raises:
        UnknownNameError: the name is that of an exercise, or unknown.
    """
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
    """Copy the exercises of a lesson to my_work/; of a stage, copy the stage before it."""
    from course import console

    if stage := state.catalog.find_stage(name):
        from course.stages import start_stage

        console.print_stage_start(stage, new=start_stage(stage))
        return
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
    """Check an exercise, or all exercises of a lesson, and report what fails."""
    from course.checking.session import check_all

    if stage := context.obj.catalog.find_stage(name):
        if not check_work(context.obj, stage):
            context.exit(FAILED)
        return
    if not check_all(context.obj.select_exercises(name), context.obj.progress):
        context.exit(FAILED)


def check_work(state: AppState, stage: Stage) -> bool:
    """Check the learner's version of a stage, store and print the result."""
    from course import console
    from course.stages import check_stage, start_stage

    if start_stage(stage):
        console.print_stage_start(stage, new=True)
    result = check_stage(stage, stage.work_folder)
    record = state.progress.get(stage.key)
    record.tries += 1
    record.solved = result.passed
    state.progress.write(stage.key, record)
    console.print_stage_result(stage, result)
    return result.passed


@app.command()
@optional_name_argument
@click.pass_obj
def watch(state: AppState, name: str) -> None:
    """Check again after every save; continue with the next exercise when one is solved."""
    from course.watch import watch_exercises, watch_stage

    if stage := state.catalog.find_stage(name):
        watch_stage(stage, lambda: check_work(state, stage))
        return
    watch_exercises(state.select_exercises(name), state.progress)


@app.command()
@optional_name_argument
@click.pass_obj
def hint(state: AppState, name: str) -> None:
    """Show the next hint; for a lesson, that of its first unsolved exercise."""
    from course import console
    from course.checking.session import next_hint

    if stage := state.catalog.find_stage(name):
        console.print_stage_hint(stage)
        return
    found = state.first_unsolved(name)
    workspace.copy_stub(found)
    record = state.record(found)
    console.print_goal(found)
    if record.solved:  # the recorded number of hints does not change after the solution
        for number in range(1, len(found.hints) + 1):
            console.print_hint(found, number)
        return
    number = next_hint(found, state.progress)
    console.print_hint(found, number)
    console.print_line(
        translate("\nYour file: {copy}", copy=console.relative_path(found.work_file))
    )
    if number == len(found.hints):
        console.print_line(
            translate(
                "This was the last hint. After a try: {learn} solution {label}",
                learn=console.LEARN,
                label=found.label,
            )
        )


@app.command()
@name_argument
@click.option("--yes", is_flag=True, help="show it before a first try")
@click.pass_context
def solution(context: click.Context, name: str, yes: bool) -> None:
    """Show a solution, of a stage its diff; before your first try only with --yes."""
    from course import console

    state: AppState = context.obj
    if stage := state.catalog.find_stage(name):
        console.print_stage_diff(stage)
        return
    found = state.first_unsolved(name)
    if not (yes or state.record(found).tries):
        text = translate(
            "Try it first: change {copy}, then {learn} check {label}. (--yes shows the "
            "solution anyway.)",
            copy=console.relative_path(found.work_file),
            learn=console.LEARN,
            label=found.label,
        )
        console.print_line(console.fit(text))
        context.exit(FAILED)
    console.print_source(found.solution)


@app.command()
@name_argument
@click.pass_obj
def reset(state: AppState, name: str) -> None:
    """Start again: restore the unsolved exercise, and keep your version beside it."""
    from course import console

    if stage := state.catalog.find_stage(name):
        from course.stages import reset_stage

        console.print_stage_reset(stage, reset_stage(stage))
        state.progress.write(stage.key, None)
        return
    for exercise in state.catalog.select_exercises(name)[1]:
        kept = workspace.reset(exercise)
        state.progress.write(exercise.key, None)
        console.print_line(
            translate(
                "{label} {file} is the unsolved exercise again; your version is kept as {backup}"
                if kept
                else "{label} {file} is the unsolved exercise again",
                label=f"{exercise.label:24}",
                file=console.relative_path(exercise.work_file),
                backup=kept and kept.name,
            )
        )


@app.command()
@click.pass_obj
def progress(state: AppState) -> None:
    """Show your progress in each lesson, and the next exercise."""
    from course import console

    console.print_progress(state.catalog.lessons, state.records())


@app.command()
@click.argument("place", metavar="[LESSON/STEP]", default="")
@click.option("--no-browser", is_flag=True, help="only print the text")
@click.pass_obj
def feedback(state: AppState, place: str, no_browser: bool) -> None:
    """Prepare an issue about a step or an exercise: feedback 01/3, feedback 01/allow_head.

    The text is opened in a browser, or printed. It is sent only if you send it.
    """
    from course import console
    from course.feedback import issue_address, prepare
    from course.tour.server import has_browser

    found = prepare(state.catalog, place)
    address = issue_address(state.root / "pyproject.toml", found)
    if address and not no_browser and has_browser():
        console.print_line(translate("Read the text in the browser, complete it, and send it."))
        click.launch(address)
        return
    console.print_line(f"{found.title}\n\n{found.text}")


@app.command(context_settings=FORWARD_OPTIONS)
@lesson_argument
@click.option("--again", is_flag=True, help="a new copy; the earlier one is kept beside it")
@click.option("--slides", is_flag=True, help="make slides, and open them in a browser")
@click.pass_context
def notebook(context: click.Context, lesson: str, again: bool, slides: bool) -> None:
    """Open your copy of a lesson's notebook in JupyterLab: notebook 01 --no-browser.

    The copy is in my_work/notebooks/, and is kept if it exists. Further options are for JupyterLab.
    """
    from course import console, notebooks

    state: AppState = context.obj
    path = state.catalog.notebook(lesson)
    if slides:
        from course.slides import make_slides

        made = make_slides(path, state.root)
        console.print_line(translate("Slides: {file}", file=console.relative_path(made)))
        if "--no-browser" not in context.args:
            click.launch(made.as_uri())
        return
    copy, kept = notebooks.copy_notebook(path, state.root, again=again)
    console.print_line(translate("Your copy: {file}", file=console.relative_path(copy)))
    if kept:
        console.print_line(translate("Your earlier version is kept as {name}", name=kept.name))
    notebooks.add_settings()
    context.exit(exec_command(notebooks.jupyter_command(copy, state.root, context.args)))


@app.command(context_settings=FORWARD_OPTIONS, add_help_option=False)
@click.pass_context
def chat(context: click.Context) -> None:
    """Start the chat at http://localhost:8888, with its options: chat --port=9000 --data=DIR."""
    context.exit(exec_command([sys.executable, "-m", "capstone_chat", *context.args]))


@app.command(context_settings=FORWARD_OPTIONS, add_help_option=False)
@click.pass_context
def test(context: click.Context) -> None:
    """Run the course's own tests, with options of pytest: test -k hello."""
    # More workers than cores, because many tests wait for servers and programs. With `worksteal`
    # each worker starts with a range of tests, which keeps the tests that share a browser
    # together. A later -n among the options takes precedence.
    cores = os.cpu_count() or 1
    workers = [f"--numprocesses={cores + min(cores, 4)}", "--dist=worksteal"]
    # The tests start hundreds of programs. Without .pyc files each compiles the same modules again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    pytest = [sys.executable, "-m", "pytest", f"--rootdir={ROOT}", *workers]
    context.exit(exec_command([*pytest, *context.args]))


@app.command()
@click.argument("folder", type=Path)
@click.option("--url", default="", help="the address at which the site will be, for its sitemap")
@click.pass_context
def site(context: click.Context, folder: Path, url: str) -> None:
    """Write the pages of the tour as a static site, which runs nothing: site public."""
    from course import console
    from course.tour.site import SiteError, write_site

    try:
        count = write_site(context.obj.catalog, folder, url)
    except SiteError as problem:
        console.print_error(problem)
        context.exit(USAGE_ERROR)
    where = folder / "index.html"
    click.echo(translate("{count} pages. Open {file}", count=count, file=where))


@app.command(context_settings=FORWARD_OPTIONS, add_help_option=False)
@click.pass_context
def bench(context: click.Context) -> None:
    """Compare the speed of the chat with that of other servers: bench --quick, bench --list."""
    context.exit(exec_command([sys.executable, "-m", "benchmarks", *context.args]))


def main() -> None:
    """Run the command line; print a wrong name or a damaged course as one line, no traceback."""
    from course import console

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
        console.print_error(unknown)
        sys.exit(USAGE_ERROR)
    except CatalogError as broken:
        console.print_error(broken)
    except OSError as problem:
        console.print_error(f"{problem.strerror}: {problem.filename}")
    sys.exit(FAILED)
