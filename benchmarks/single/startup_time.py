"""Measure the time that each script of the lessons takes to start.

    python -m benchmarks.single.startup_time                 every script, the slowest first
    python -m benchmarks.single.startup_time 01 07/core      a lesson, or one script
    python -m benchmarks.single.startup_time --repeat 10     the shortest of ten starts, not three

The time is measured from the start of a new Python process until the script has printed
`Open http://...` and its port accepts a connection. The shortest of several starts counts, because
a longer one only shows that the machine was busy. The table also has the script's CPU time.

A script may wait for a server or a program beside Python, or print results before it serves. The
last column of the table names the cause; if the script did not find the server or program, the last
line of its output follows.
"""

import argparse
import contextlib
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]
from rich.console import Console
from rich.progress import track
from rich.table import Table

from course.catalog import Catalog, Script, UnknownNameError

ROOT = Path(__file__).resolve().parents[2]
GOAL = 0.5  # seconds
STOP_TIMEOUT = 60  # seconds that a script may take to end
NEEDS_LINE = re.compile(r"^Needs:? +([^:\n]+)", re.M)
DELAYED_BY_DESIGN = {"06/slow_reader": "three readers, each 0.3 s late"}


class NotStartedError(Exception):
    """A script ended instead of serving; the message is the last line that it printed."""


@dataclass(frozen=True, order=True)
class StartupTime:
    """The time until a script serves, and the CPU time until then."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Measurement:
    """The shortest start of a script, or the reason why it did not start."""

    script: Script
    waits_for: str
    best: StartupTime | None
    reason: str = ""


def time_start(script: Path) -> StartupTime:
    """Measure one start of a script; stop the script afterwards.

    Raises:
        NotStartedError: the script ended before it served.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-u", str(script), f"--port={port}"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    with process, contextlib.ExitStack() as stack:
        stack.callback(process.kill)
        line = ""
        for line in process.stdout or ():
            if line.startswith("Open http://"):
                # The first script of the course listens on 8888, whatever `--port` says.
                address = "localhost", urlsplit(line.split()[1]).port
                socket.create_connection(address).close()
                seconds = time.perf_counter() - begin
                cpu = psutil.Process(process.pid).cpu_times()
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=STOP_TIMEOUT)
                return StartupTime(seconds, cpu.user + cpu.system)
    raise NotStartedError(line.strip())


def measure(script: Script, repeat: int) -> Measurement:
    """Start a script `repeat` times; return its shortest start."""
    needs = NEEDS_LINE.search(script.path.read_text(encoding="utf-8"))
    waits_for = needs[1] if needs else DELAYED_BY_DESIGN.get(script.label, "")
    try:
        best = min(time_start(script.path) for _ in range(repeat))
    except NotStartedError as error:
        return Measurement(script, waits_for, None, str(error))
    return Measurement(script, waits_for, best)


def select_scripts(names: Sequence[str]) -> list[Script]:
    """Return the scripts with the given names; without names, all scripts.

    Raises:
        UnknownNameError: there is no such script.
    """
    catalog = Catalog(ROOT)
    if not names:
        return [script for lesson in catalog.lessons for script in lesson.scripts]
    scripts: list[Script] = []
    for name in names:
        lesson, _, one = name.partition("/")
        found = catalog.lesson(lesson).scripts
        scripts += [script for script in found if not one or script.name == one]
    return scripts


def make_table(measurements: Sequence[Measurement]) -> Table:
    """Return the figures as a table, the slowest script first."""
    shown = Table("script", "seconds", "processor", "waits for")
    for column in shown.columns[1:3]:
        column.justify = "right"
    ordered = sorted(measurements, key=lambda one: one.best or StartupTime(0, 0), reverse=True)
    for one in ordered:
        if one.best:
            figures = f"{one.best.seconds:.2f}", f"{one.best.cpu_seconds:.2f}"
            shown.add_row(one.script.label, *figures, one.waits_for)
        else:
            shown.add_row(one.script.label, "-", "-", f"{one.waits_for}: {one.reason}")
    return shown


def goal_summary(measurements: Sequence[Measurement]) -> str:
    """Return how many scripts start within `GOAL`: those that wait for a server, and the others."""
    lines = []
    for kind, waits in ("wait for nothing", False), ("wait for something", True):
        starts = [one.best for one in measurements if one.best and bool(one.waits_for) == waits]
        quick = sum(best.seconds < GOAL for best in starts)
        lines.append(f"{quick} of {len(starts)} scripts that {kind} serve in under {GOAL:g} s")
    return "\n".join(lines)


def main() -> int:
    """Measure and print; return 1 if a script that waits for nothing takes longer than `GOAL`."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.single.startup_time",
        description=(__doc__ or "").partition("\n")[0],
    )
    parser.add_argument("names", nargs="*", metavar="LESSON[/NAME]", help="default: all scripts")
    parser.add_argument("--repeat", type=int, default=3, help="starts of each script (default 3)")
    given = parser.parse_args()
    try:
        scripts = select_scripts(given.names)
    except UnknownNameError as unknown:
        parser.error(str(unknown))
    if given.repeat < 1 or not scripts:
        parser.error("--repeat is 1 or more, and a script has to be there")
    console = Console()
    measurements = [
        measure(script, given.repeat)
        for script in track(scripts, "Starting", console=console, transient=True)
    ]
    console.print(make_table(measurements))
    console.print(goal_summary(measurements))
    slow = [
        each
        for each in measurements
        if not each.waits_for and (not each.best or each.best.seconds >= GOAL)
    ]
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
