"""Measures the chat against its peers: python3 learn.py bench --help"""

import argparse
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import report
from benchmarks.figures import short
from benchmarks.servers import BASE, DRAWN, SERVERS, Server, raise_limits
from benchmarks.servers import QUICK as QUICK_SERVERS
from benchmarks.workloads import QUICK as QUICK_WORKLOADS
from benchmarks.workloads import WORKLOADS, Trial, Workload, quick, run, with_window

HERE = Path(__file__).parent
REPEAT = 3


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="learn.py bench",
        description="Measure the chat against its peers, side by side, and write down the result.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="chat and bare Tornado, once: under a minute"
    )
    parser.add_argument(
        "--only", default="", metavar="NAMES", help="servers and workloads, with commas: chat,w1"
    )
    parser.add_argument("--list", action="store_true", help="the names that --only takes")
    parser.add_argument("--repeat", type=int, default=0, help=f"repetitions (default {REPEAT})")
    parser.add_argument(
        "--window", type=int, default=0, help="messages of a room under way at saturation"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the order of the trials")
    parser.add_argument(
        "--out", type=Path, help="folder for RESULTS.md and plots/ (default: benchmarks/)"
    )
    given = parser.parse_args(arguments)
    known = {server.name for server in SERVERS} | {one.chosen_by for one in WORKLOADS}
    given.names = {name for name in given.only.split(",") if name}
    if unknown := given.names - known:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; --list shows the names")
    if given.repeat < 0 or given.window < 0:
        parser.error("--repeat, --window: give a number above 0")
    return given


def chosen(names: set[str], is_quick: bool) -> tuple[list[Server], list[Workload]]:
    """Return the servers and the workloads that are asked for.

    Bare Tornado is always with them: all ratios are to it.
    """
    servers = [server for server in SERVERS if server.name in names]
    workloads = [one for one in WORKLOADS if one.chosen_by in names]
    if servers:
        servers = [server for server in SERVERS if server.name in names | {BASE}]
    else:
        servers = [server for server in SERVERS if not is_quick or server.name in QUICK_SERVERS]
    if not workloads:
        workloads = [one for one in WORKLOADS if not is_quick or one.name in QUICK_WORKLOADS]
    return servers, [quick(one) for one in workloads] if is_quick else workloads


def plan(servers: list[Server], workloads: list[Workload], repeat: int, seed: int) -> list[Trial]:
    """Return the trials.

    The servers follow each other under each workload, in an order of chance, so that what disturbs
    the machine for a while does not disturb one of them only.
    """
    order = random.Random(seed)  # noqa: S311
    trials = []
    for repetition in range(repeat):
        for workload in workloads:
            if workload.once and repetition:
                continue
            able = [
                server
                for server in servers
                if server.stores or not workload.needs_store
                if server.name in DRAWN or not workload.curve
            ]
            for server in order.sample(able, len(able)):
                trials.append(Trial(workload, server, repetition))
    return trials


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; write and show the report."""
    given = options(arguments)
    console = Console()
    if given.list:
        show_names(console)
        return 0
    raise_limits()
    servers, workloads = chosen(given.names, given.quick)
    if given.window:
        workloads = [with_window(one, given.window) for one in workloads]
    absent = {server: server.missing() for server in servers if server.missing()}
    present = [server for server in servers if server not in absent]
    repeat = given.repeat or (1 if given.quick else REPEAT)
    trials = plan(present, workloads, repeat, given.seed)
    perform(trials, given.seed, console)
    # A part of it, or a quick one, must not take the place of the whole unless that is asked for.
    folder = given.out or (None if given.quick or given.names else HERE)
    pictures: list[str] = []
    if folder:
        from benchmarks import plots  # brings matplotlib, which takes a second

        pictures = plots.draw(report.Trials(trials), folder / "plots")
    text = report.text(trials, absent, given.seed, repeat, pictures)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "RESULTS.md").write_text(text, encoding="utf-8")
    console.print(Markdown(text))
    return 1 if any(trial.problem for trial in trials) else 0


def show_names(console: Console) -> None:
    """Print what --only takes."""
    for title, things in (
        ("Servers", {server.name: server.title for server in SERVERS}),
        ("Workloads", {one.chosen_by: one.title for one in WORKLOADS}),
    ):
        console.print(f"[bold]{title}[/]")
        for name, what in things.items():
            console.print(f"  {name:12} {what.replace('*', '')}", highlight=False)


def perform(trials: list[Trial], seed: int, console: Console) -> None:
    """Run the trials one after the other, and say how each went."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    # Drawn rarely: the bar must not take time from what is measured.
    with Progress(*columns, TimeElapsedColumn(), console=console, refresh_per_second=2) as progress:
        steps = sum(1 + len(trial.workload.steps) for trial in trials)
        bar = progress.add_task("", total=steps)
        for number, trial in enumerate(trials):
            title = f"{trial.workload.name} {trial.server.name}"
            progress.update(bar, description=f"{title:24}")
            for _ in run(trial, seed * 1000 + number):
                progress.advance(bar)
            said = f"[red]{escape(trial.problem)}" if trial.problem else brief(trial)
            progress.console.print(f"{title:24} {said}", highlight=False)


def brief(trial: Trial) -> str:
    """Return the figures of a trial that somebody who waits may like to see."""
    found = []
    if result := trial.results.get("saturate"):
        found.append(f"{short(result['per_s'])} deliveries/s, {short(result['cpu_us'])} us each")
    for step, name, what in (
        ("pace", "p99_ms", "p99 {} ms"),
        ("storm", "seconds", "all back after {} s"),
        ("open", "handshakes_per_s", "{} handshakes/s"),
        ("history", "newest_p50_ms", "newest page {} ms"),
    ):
        if name in trial.results.get(step, {}):
            found.append(what.format(short(trial.results[step][name])))
    return "; ".join(found)


if __name__ == "__main__":
    # A plain kill stops what was started, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
