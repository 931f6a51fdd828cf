"""Demonstrate a script: start it, run the commands that its lesson's pages show, and stop it.

`learn.py demo 01/routing` runs the sessions of README.md and FURTHER.md whose script is
lessons/01_hello/routing.py. A change that a page asks for first ("Break it") is made in a copy. If
a page shows lines of the script's log, the demo shows them too. A script that ends by itself is
only started. CI runs the demo of each session, and each step has one.
"""

import contextlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from course.pages import Block, Session, apply_change, matches_output, sessions, step_pages
from course.ports import free_port
from course.processes import WAKE_INTERVAL, wake
from course.script_launcher import PORT_IN_USE, has_options
from course.translation import translate

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = "8888"
"""The port in the commands of a page, unless the session has `--port=`."""
RUN_COMMAND = "python3 learn.py run "
"""The beginning of the command that starts the script of a session."""
BREAK_COMMAND = "python3 learn.py break "
"""The beginning of the command that starts a changed copy of the script."""
LOG_FILE = "log.txt"
START_TIMEOUT = 40
"""Seconds that a script may take until it has printed its address."""
STOP_TIMEOUT = 10
"""Seconds that a script may take to end after Ctrl-C."""
MAX_PORT_ATTEMPTS = 3
"""Number of ports that are tried if other programs take them before the script listens."""
REQUEST_TIMEOUT = 30
"""Seconds that one command may take."""
CURL_TIMED_OUT = 28
"""Exit status of curl when `--max-time` has ended it."""
LEAVE_PAUSE = 0.3
"""Seconds before the next command, in which the server notices that the client has left."""


class DemoError(Exception):
    """A demo cannot be shown; the message says why and what to do."""


@dataclass(frozen=True)
class CommandResult:
    """A command of a page and its output.

    Attributes:
        command: the command with the port on which the script listens; "" for the script's log.
        output: the command's standard output and standard error, or the log's lines that match.
        shown: the output that the page shows, with the same port.
    """

    command: str
    output: str
    shown: str

    @property
    def matches_page(self) -> bool:
        """Whether the output equals the output that the page shows."""
        return matches_output(self.shown, self.output)


def sessions_of(script: Path) -> list[Session]:
    """Return a script's sessions in the pages of its lesson, in order."""
    return [
        session
        for page in step_pages(script.parent)
        for session in sessions(page)
        if session.block.script.resolve() == script.resolve()
    ]


def make_changed_copy(lesson: Path, changes: Sequence[Block], folder: Path) -> Path:
    """Copy a lesson without its exercises, and make the changes of a page in the copy.

    Returns:
        The folder of the copy.

    Raises:
        ValueError: a file does not hold the lines to change exactly once.
    """
    copy = folder / lesson.name
    shutil.copytree(lesson, copy, ignore=shutil.ignore_patterns("exercises", "__pycache__"))
    for block in changes:
        file = copy / block.source
        try:
            file.write_text(
                apply_change(file.read_text(encoding="utf-8"), block.text), encoding="utf-8"
            )
        except ValueError as error:
            raise ValueError(f"{block}, {block.source}: {error}") from None
    return copy


def page_port(arguments: Sequence[str]) -> str:
    """Return the port that the commands of a session name."""
    given = [one.partition("=")[2] for one in arguments if one.startswith("--port=")]
    return given[-1] if given else DEFAULT_PORT


def script_on_port(script: Path, port: int, folder: Path) -> tuple[Path, list[str]]:
    """Return the file and the options with which a script listens on the given port.

    The first scripts of the course have no options. Such a script is copied to `folder`, with the
    port in place of 8888.
    """
    if has_options(script):
        return script, [f"--port={port}"]
    text = script.read_text(encoding="utf-8")
    if DEFAULT_PORT not in text:  # it does not serve, and may import files beside it
        return script, []
    copy = folder / script.name
    copy.write_text(text.replace(DEFAULT_PORT, str(port)), encoding="utf-8")
    return copy, []


def run_command(command: str, page: str, port: int) -> str:
    """Run a command of a session; return its standard output and standard error.

    Args:
        command: a command line that begins with `curl`.
        page: the port that the page names.
        port: the port on which the script listens.

    Raises:
        DemoError: there is no curl, or the command is another program.
    """
    words = [word.replace(page, str(port)) for word in shlex.split(command)]
    if words[0] != "curl":
        raise DemoError(
            translate("a session runs learn.py and curl only, not: {command}", command=command)
        )
    curl = shutil.which("curl")
    if curl is None:
        raise DemoError(
            translate(
                "this needs the program curl. On Debian and Ubuntu: sudo apt install curl. "
                "Windows 10 and macOS have it."
            )
        )
    # If the output is no terminal, curl prints a progress bar unless it is silent.
    words = [curl, "--silent", "--show-error", "--max-time", str(REQUEST_TIMEOUT), *words[1:]]
    done = subprocess.run(
        words,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode == CURL_TIMED_OUT:
        time.sleep(LEAVE_PAUSE)
    return done.stdout


def run_script(script: Path, arguments: Sequence[str]) -> str:
    """Run a script that ends by itself; return its standard output and standard error.

    Raises:
        DemoError: the script did not end within REQUEST_TIMEOUT.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "course.script_launcher", str(script), *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=REQUEST_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        message = translate("{name} has not ended by itself.", name=script.name)
        raise DemoError(message) from None
    return done.stdout


def run_ending_command(session: Session, command: str, script: Path) -> str:
    """Run a command of a session whose script ends by itself; return its output.

    Args:
        session: the session.
        command: one of its commands.
        script: the file to run: the session's own one, or a copy of it.

    Raises:
        DemoError: the script did not end within REQUEST_TIMEOUT.
    """
    given = shlex.split(command.removeprefix(start_command(session.block)))
    return run_script(script, given)


def start_command(block: Block) -> str:
    """Return the command with which a page starts the script of a session."""
    folder, name = block.script.parent, block.script.stem
    if folder.name.startswith("stage_"):
        folder, name = folder.parent, str(int(folder.name.removeprefix("stage_")))
    label = f"{folder.name.partition('_')[0]}/{name}"
    return shlex.join([*RUN_COMMAND.split(), label.removesuffix("/app"), *block.arguments])


@contextlib.contextmanager
def serving(script: Path, arguments: Sequence[str], port: int, folder: Path) -> Iterator[str]:
    """Start a script, wait until it has printed its address, and stop it at the end.

    Args:
        script: the file.
        arguments: the script's options, without the port.
        port: the port on which the script listens.
        folder: the folder for the script's log, LOG_FILE.

    Yields:
        The output of the script up to its address.

    Raises:
        DemoError: the script has ended, or printed no address within START_TIMEOUT.
    """
    file, options = script_on_port(script, port, folder)
    with (folder / LOG_FILE).open("w", encoding="utf-8") as log:
        process, stdout = start_python(
            ["-m", "course.script_launcher", str(file), *options, *arguments], log
        )
    with stdout:
        try:
            yield _wait_for_address(process, stdout, script, folder / LOG_FILE)
        finally:
            _stop(process)


def start_python(arguments: list[str], log: IO[str]) -> "tuple[subprocess.Popen[str], IO[str]]":
    """Start Python with its standard error in `log`; return the process and its standard output."""
    process = subprocess.Popen(
        [sys.executable, "-u", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        encoding="utf-8",
        errors="replace",
    )
    return process, cast("IO[str]", process.stdout)


def _wait_for_address(
    process: "subprocess.Popen[str]", stdout: IO[str], script: Path, log: Path
) -> str:
    timer = threading.Timer(START_TIMEOUT, process.kill)
    timer.start()
    printed = ""
    try:
        for line in stdout:
            printed += line
            if line.startswith("Open http://"):
                return printed
    finally:
        timer.cancel()
    process.wait()
    log_text = log.read_text(encoding="utf-8", errors="replace")
    raise DemoError(describe_failed_start(script, printed, log_text))


def describe_failed_start(script: Path, printed: str, log: str) -> str:
    """Return why a script does not serve: its output, with nothing that says its address."""
    message = translate("{name} has printed no address.", name=script.name)
    return f"{message} {printed}{log.strip()}".strip()


def _stop(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        if sys.platform == "win32":
            process.terminate()
        else:
            process.send_signal(signal.SIGINT)
        limit = time.monotonic() + STOP_TIMEOUT
        while time.monotonic() < limit:
            try:
                process.wait(WAKE_INTERVAL)
                return
            except subprocess.TimeoutExpired:
                wake(process.send_signal)
        process.kill()
    process.wait()


def run_session(session: Session) -> Iterator[CommandResult]:
    """Run a session: start its script, run its commands, stop the script.

    If the script ends by itself, each command of the session starts it.

    Yields:
        Each command as soon as it has run; at the end each part of the log that the page shows.

    Raises:
        DemoError: the script does not start, or a command cannot be run.
    """
    script = session.block.script
    if not session.serves:
        for command, shown in session.commands:
            yield CommandResult(command, run_ending_command(session, command, script), shown)
        return
    arguments = [one for one in session.block.arguments if not one.startswith("--port=")]
    page = page_port(session.block.arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if session.changes:
            script = make_changed_copy(script.parent, session.changes, folder) / script.name
        with contextlib.ExitStack() as stack:
            for attempt in range(MAX_PORT_ATTEMPTS):
                port = free_port(int(page))
                try:
                    printed = stack.enter_context(serving(script, arguments, port, folder))
                except DemoError as problem:
                    # Another program may take the port between the choice and the start.
                    if PORT_IN_USE in str(problem) and attempt < MAX_PORT_ATTEMPTS - 1:
                        continue
                    if not session.changes:
                        raise
                    printed = str(problem)  # the change keeps the script from starting
                break
            here = str(port)
            for command, shown in session.commands:
                starts = command.startswith((RUN_COMMAND, BREAK_COMMAND))
                output = printed if starts else run_command(command, page, port)
                yield CommandResult(command.replace(page, here), output, shown.replace(page, here))
        log = (folder / LOG_FILE).read_text(encoding="utf-8", errors="replace")
        for block in session.logs:
            yield CommandResult("", *_find_shown_part(log, block.text.replace(page, here)))


def _find_shown_part(log: str, shown: str) -> tuple[str, str]:
    """Return the part of a log that matches a page, or the whole log, and the lines of the page.

    Indentation is ignored: a page may show a traceback without it.
    """
    lines = [line.strip() for line in log.splitlines()]
    wanted = [line.strip() for line in textwrap.dedent(shown).strip().splitlines()]
    text = "\n".join(wanted)
    for first in range(len(lines)):
        for last in range(first + 1, len(lines) + 1):
            if matches_output(text, part := "\n".join(lines[first:last])):
                return part, text
    return log, text
