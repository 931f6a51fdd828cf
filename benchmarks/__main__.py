"""Command line of the benchmarks: `python3 learn.py bench --help`."""

import argparse
import math
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import report
from benchmarks.servers import BASELINE, PLOTTED, SERVERS, Server, raise_open_file_limit
from benchmarks.servers import QUICK as QUICK_SERVERS
from benchmarks.summary import format_number
from benchmarks.workloads import QUICK as QUICK_WORKLOADS
from benchmarks.workloads import (
    WORKLOADS,
    Trial,
    Workload,
    run_trial,
    shorten,
    with_window,
    without_deep_windows,
)

PACKAGE_DIR = Path(__file__).parent
DEFAULT_REPEAT = 2
REPEAT_SECONDS = 540.0
"""Seconds after which no trial is repeated unless --repeat asks for it: all ends in ten minutes."""


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="learn.py bench",
        description="Measure the chat against its peers, side by side, and write a report.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="chat and bare Tornado, once: under a minute"
    )
    parser.add_argument(
        "--long", action="store_true", help="also 5,000 silent connections over a minute"
    )
    parser.add_argument(
        "--only", default="", metavar="NAMES", help="servers and workloads, with commas: chat,w1"
    )
    parser.add_argument("--list", action="store_true", help="the names that --only takes")
    parser.add_argument(
        "--repeat", type=int, default=0, help=f"repetitions (default {DEFAULT_REPEAT})"
    )
    parser.add_argument(
        "--window", type=int, default=0, help="messages of a room in flight at saturation"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the order of the trials")
    parser.add_argument(
        "--out", type=Path, help="folder for RESULTS.md and plots/ (default: benchmarks/)"
    )
    given = parser.parse_args(arguments)
    known = {server.name for server in SERVERS} | {one.selector for one in WORKLOADS}
    given.names = {name for name in given.only.split(",") if name}
    if unknown := given.names - known:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; --list shows the names")
    if given.repeat < 0 or given.window < 0:
        parser.error("--repeat, --window: give a number above 0")
    return given


def select(
    names: set[str], is_quick: bool, is_long: bool = False
) -> tuple[list[Server], list[Workload]]:
    """Return the servers and the workloads to run.

    The baseline is always among the servers, because all ratios refer to it.
    """
    servers = [server for server in SERVERS if server.name in names]
    workloads = [one for one in WORKLOADS if one.selector in names]
    if servers:
        servers = [server for server in SERVERS if server.name in names | {BASELINE}]
    else:
        servers = [server for server in SERVERS if not is_quick or server.name in QUICK_SERVERS]
    if not workloads:
        workloads = [one for one in WORKLOADS if not is_quick or one.name in QUICK_WORKLOADS]
        workloads = [one for one in workloads if is_long or not one.is_long]
    return servers, [shorten(one) for one in workloads] if is_quick else workloads


def plan_trials(
    servers: list[Server], workloads: list[Workload], repeat: int, seed: int
) -> list[Trial]:
    """Return the trials in the order of execution.

    For each workload the servers run in random order, so that a temporary load of the machine does
    not affect the same server in each repetition.
    """
    rng = random.Random(seed)  # noqa: S311
    trials = []
    for repetition in range(repeat):
        for workload in workloads:
            if repetition and not workload.repeat:
                continue
            suitable = [
                server
                for server in servers
                if server.stores or not workload.needs_store
                if server.name in PLOTTED or not workload.plot_only
                if server.name in QUICK_SERVERS or not workload.is_long
            ]
            for server in rng.sample(suitable, len(suitable)):
                repeated = without_deep_windows(workload) if repetition else workload
                trials.append(Trial(repeated, server, repetition))
    return trials


def main(arguments: Sequence[str]) -> int:
    """Run the trials, write and show the report; return the exit status."""
    begin = time.monotonic()
    given = parse_options(arguments)
    console = Console()
    if given.list:
        show_names(console)
        return 0
    raise_open_file_limit()
    servers, workloads = select(given.names, given.quick, given.long)
    if given.window:
        workloads = [with_window(one, given.window) for one in workloads]
    reasons = {server: server.unavailable_reason() for server in servers}
    unavailable = {server: reason for server, reason in reasons.items() if reason}
    available = [server for server in servers if server not in unavailable]
    repeat = given.repeat or (1 if given.quick else DEFAULT_REPEAT)
    trials = plan_trials(available, workloads, repeat, given.seed)
    run_trials(trials, given.seed, console, math.inf if given.repeat else REPEAT_SECONDS)
    # A partial or quick report replaces the complete one only if --out says so.
    folder = given.out or (None if given.quick or given.names else PACKAGE_DIR)
    pictures: list[str] = []
    if folder:
        from benchmarks import plots  # imports matplotlib, which takes a second

        pictures = plots.draw(report.Results(trials), folder / "plots")
    seconds = time.monotonic() - begin
    run = f"Seed {given.seed}; each measured {repeat} times at most; {seconds:.0f} s in all."
    text = report.render(trials, unavailable, run, pictures)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "RESULTS.md").write_text(text, encoding="utf-8")
    console.print(Markdown(text))
    return 1 if any(trial.error for trial in trials) else 0


def show_names(console: Console) -> None:
    """Print the names that `--only` takes."""
    for title, things in (
        ("Servers", {server.name: server.title for server in SERVERS}),
        ("Workloads", {one.selector: one.title for one in WORKLOADS}),
    ):
        console.print(f"[bold]{title}[/]")
        for name, what in things.items():
            console.print(f"  {name:12} {what.replace('*', '')}", highlight=False)


def run_trials(trials: list[Trial], seed: int, console: Console, repeat_seconds: float) -> None:
    """Run the trials one after the other, and print the main figures of each.

    Args:
        trials: the trials.
        seed: the seed of the client's random numbers.
        console: the console.
        repeat_seconds: seconds after which the trials of later repetitions are left out.
    """
    repeat_until = time.monotonic() + repeat_seconds
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    # Two refreshes a second: more would take CPU time from the server and the client.
    with Progress(*columns, TimeElapsedColumn(), console=console, refresh_per_second=2) as progress:
        steps = sum(1 + len(trial.workload.steps) for trial in trials)
        bar = progress.add_task("", total=steps)
        for number, trial in enumerate(trials):
            if trial.repetition and time.monotonic() > repeat_until:
                break
            title = f"{trial.workload.name} {trial.server.name}"
            progress.update(bar, description=f"{title:24}")
            for _ in run_trial(trial, seed * 1000 + number):
                progress.advance(bar)
            text = f"[red]{escape(trial.error)}" if trial.error else main_figures(trial)
            progress.console.print(f"{title:24} {text}", highlight=False)


def main_figures(trial: Trial) -> str:
    """Return the main figures of a trial in one line, to show during the run."""
    found = []
    if result := trial.results.get("saturate"):
        rates = [format_number(point["per_s"]) for point in result["points"]]
        found.append(f"{', '.join(rates)} deliveries/s")
    for step, name, what in (
        ("constant_rate", "p50_ms", "p50 {} ms"),
        ("constant_rate", "p99_ms", "p99 {} ms"),
        ("reconnect_storm", "seconds", "all reconnected after {} s"),
        ("silence", "core_percent", "{} % of a core"),
        ("open", "handshakes_per_s", "{} handshakes/s"),
        ("history", "newest_p50_ms", "newest page {} ms"),
    ):
        if name in trial.results.get(step, {}):
            found.append(what.format(format_number(trial.results[step][name])))
    return "; ".join(found)


if __name__ == "__main__":
    # SIGTERM stops servers and clients, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
