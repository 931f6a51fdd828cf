"""How long each script of the lessons takes from its start until it serves.

    python -m benchmarks.start                 every script, the slowest first
    python -m benchmarks.start 01 07/core      a lesson, or one script
    python -m benchmarks.start --repeat 10     the best of ten starts, not of three

The time runs from the moment at which a new Python is started until the script has said
`Open http://...` and its port takes a connection: what a learner waits for. The best of the starts
counts, for all that can make another one longer is that the machine was busy. How much of it the
processor worked for the script is shown beside it.

A script may wait for a server or a program beside Python, or show something before it serves: it is
named as such. One that does not find what it needs is told with what it said.
"""

import argparse
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from rich.console import Console
from rich.progress import track
from rich.table import Table

from course.catalog import Catalog, Script, UnknownNameError

ROOT = Path(__file__).resolve().parents[1]
GOAL = 0.5  # seconds
LIMIT = 60  # seconds that a script has to end
NEEDS = re.compile(r"^Needs:? +([^:\n]+)", re.M)
STORIES = {"06/slow_reader": "three readers, each 0.3 s late"}


class NotStartedError(Exception):
    """A script ended instead of serving; the message is the last line that it wrote."""


@dataclass(frozen=True, order=True)
class Start:
    """One start: seconds until the script served, and of them the processor's."""

    seconds: float
    work: float


@dataclass(frozen=True)
class Measured:
    """The best start of a script, or why it did not start."""

    script: Script
    waits_for: str
    start: Start | None
    reason: str = ""


def start(script: Path) -> Start:
    """Start a script, measure, and stop it.

    Raises:
        NotStartedError: it ended.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-u", str(script), f"--port={port}"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    with process:
        said = ""
        for said in process.stdout or ():
            if said.startswith("Open http://"):
                socket.create_connection(("localhost", port)).close()
                seconds = time.perf_counter() - began
                work = psutil.Process(process.pid).cpu_times()
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=LIMIT)
                return Start(seconds, work.user + work.system)
    raise NotStartedError(said.strip())


def measure(script: Script, repeat: int) -> Measured:
    """Start a script several times."""
    needs = NEEDS.search(script.path.read_text(encoding="utf-8"))
    told = needs[1] if needs else STORIES.get(script.label, "")
    try:
        return Measured(script, told, min(start(script.path) for _ in range(repeat)))
    except NotStartedError as problem:
        return Measured(script, told, None, str(problem))


def chosen(names: Sequence[str]) -> list[Script]:
    """Return the scripts that are asked for, all for no name; raises `UnknownNameError`."""
    catalog = Catalog(ROOT)
    if not names:
        return [script for lesson in catalog.lessons for script in lesson.scripts]
    scripts: list[Script] = []
    for name in names:
        lesson, _, one = name.partition("/")
        found = catalog.lesson(lesson).scripts
        scripts += [script for script in found if not one or script.name == one]
    return scripts


def table(measured: Sequence[Measured]) -> Table:
    """Return the figures as a table, the slowest first."""
    shown = Table("script", "seconds", "processor", "waits for")
    for column in shown.columns[1:3]:
        column.justify = "right"
    for one in sorted(measured, key=lambda one: one.start or Start(0, 0), reverse=True):
        if one.start:
            figures = f"{one.start.seconds:.2f}", f"{one.start.work:.2f}"
            shown.add_row(one.script.label, *figures, one.waits_for)
        else:
            shown.add_row(one.script.label, "-", "-", f"{one.waits_for}: {one.reason}")
    return shown


def shares(measured: Sequence[Measured]) -> str:
    """Return how many are as quick as they should be, a line for each kind."""
    lines = []
    for kind, waits in ("wait for nothing", False), ("wait for something", True):
        starts = [one.start for one in measured if one.start and bool(one.waits_for) == waits]
        quick = sum(start.seconds < GOAL for start in starts)
        lines.append(f"{quick} of {len(starts)} scripts that {kind} serve in under {GOAL:g} s")
    return "\n".join(lines)


def main() -> int:
    """Measure and print; the exit status is 1 when a script that waits for nothing is too slow."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.start", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("names", nargs="*", metavar="LESSON[/NAME]", help="default: all scripts")
    parser.add_argument("--repeat", type=int, default=3, help="starts of each script (default 3)")
    given = parser.parse_args()
    try:
        scripts = chosen(given.names)
    except UnknownNameError as unknown:
        parser.error(str(unknown))
    if given.repeat < 1 or not scripts:
        parser.error("--repeat is 1 or more, and a script has to be there")
    console = Console()
    measured = [
        measure(script, given.repeat)
        for script in track(scripts, "Starting", console=console, transient=True)
    ]
    console.print(table(measured))
    console.print(shares(measured))
    slow = [m for m in measured if not m.waits_for and (not m.start or m.start.seconds >= GOAL)]
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
