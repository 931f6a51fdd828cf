"""Run the scenarios: cause each fault, and check that the chat keeps its invariants.

python -m fault_injection --short
python -m fault_injection --only=kill --seed=7
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from benchmarks.servers import raise_open_file_limit
from fault_injection.harness.context import Context, FaultError, MissingProgramError
from fault_injection.harness.leaks import Resources, leaked_since
from fault_injection.harness.servers import find_program
from fault_injection.scenarios import SCENARIOS, Scenario

TIMEOUTS = {True: 300, False: 3600}
"""Seconds that a scenario may take, in the short form (True) and in the long form."""
MAX_RUNS = 3
"""Runs of a scenario in which nothing but a time was too long. Another program may have kept the
machine busy; a slow chat is slow in each run."""
PROGRESS_INTERVAL = 10.0
"""Seconds between two lines of progress when the output is not a terminal."""


@dataclass(frozen=True)
class Result:
    """The result of a scenario."""

    scenario: Scenario
    seconds: float
    processor: float
    """Seconds of processor time, of this process and of its child processes."""
    figures: dict[str, object]
    violations: list[str]
    slow: list[str]
    """Times that exceeded their limits."""

    @property
    def passed(self) -> bool:
        """Whether the invariant held and no time was too long."""
        return not self.violations and not self.slow

    def text(self) -> str:
        """Return the figures as the text of a table cell."""
        return ", ".join(f"{name} {_plain(value)}" for name, value in self.figures.items())


def _plain(value: object) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else str(value)


class Progress:
    """Shows the progress of a scenario: one line that changes in a terminal, else a line at times.

    Args:
        console: where lines are printed.
        status: the line that changes.
        name: of the scenario.
    """

    def __init__(self, console: Console, status: Status, name: str) -> None:
        self._console = console
        self._status = status
        self._name = name
        self._shown = time.monotonic()

    def show(self, text: str) -> None:
        """Show a text. Without a terminal, at most one text per `PROGRESS_INTERVAL` is printed."""
        line = f"       {self._name}: {escape(text)}"
        if self._console.is_terminal:
            self._status.update(line.strip())
        elif time.monotonic() - self._shown > PROGRESS_INTERVAL:
            self._shown = time.monotonic()
            self._console.print(line, highlight=False)


async def run(scenario: Scenario, seed: int, short: bool, shared: Path, console: Console) -> Result:
    """Run one scenario, clean up, and check that it leaves no resources behind.

    Args:
        scenario: the scenario.
        seed: seed of all random numbers.
        short: whether to run the short form.
        shared: folder for files that several scenarios use.
        console: where progress is shown.
    """
    begin, begin_processor = time.monotonic(), processor_time()
    with console.status(scenario.fault) as status:
        before = Resources.now()
        progress = Progress(console, status, scenario.name)
        context = Context(scenario.name, seed, short, shared, progress.show)
        async with context.stack:
            try:
                async with asyncio.timeout(TIMEOUTS[short]):
                    await scenario.run(context)
            except (FaultError, TimeoutError) as error:
                context.expect("it came to its end", False, str(error) or "it took too long")
            except BaseExceptionGroup as errors:  # from a task group
                for one in errors.exceptions:
                    context.expect("it came to its end", False, repr(one))
            except Exception as error:
                console.print_exception()
                context.expect("it came to its end", False, repr(error))
        context.violations += [f"left behind: {what}" for what in await leaked_since(before)]
        context.expect("left behind", not context.folder.exists(), context.folder)
    seconds, processor = time.monotonic() - begin, processor_time() - begin_processor
    return Result(scenario, seconds, processor, context.figures, context.violations, context.slow)


def processor_time() -> float:
    """Return the processor seconds of this process and of its ended child processes."""
    return sum(os.times()[:4])


async def run_all(
    scenarios: list[Scenario], seed: int, short: bool, shared: Path, console: Console
) -> list[Result]:
    """Run scenarios one after the other, and print the result of each."""
    results = []
    for scenario in scenarios:
        result = await run(scenario, seed, short, shared, console)
        for _ in range(MAX_RUNS - 1):
            if result.violations or not result.slow:
                break
            console.print(
                f"again  {scenario.name}: {escape('; '.join(result.slow))}", highlight=False
            )
            result = await run(scenario, seed, short, shared, console)
        results.append(result)
        word = "[green]holds [/]" if result.passed else "[red]BROKEN[/]"
        console.print(f"{word} {scenario.name} ({result.seconds:.1f} s)")
        for problem in result.violations + result.slow:
            console.print(f"  [red]{escape(problem)}[/]", highlight=False)
    return results


def table(results: list[Result]) -> Table:
    """Return a table with a row for each result."""
    made = Table(show_lines=True)
    for column in "scenario", "fault", "invariant", "held", "figures", "s", "CPU s":
        made.add_column(column)
    for result in results:
        scenario = result.scenario
        held = "yes" if result.passed else "NO"
        spent = f"{result.seconds:.0f}", f"{result.processor:.0f}"
        made.add_row(
            *map(
                escape,
                (scenario.name, scenario.fault, scenario.invariant, held, result.text(), *spent),
            )
        )
    return made


def main() -> int:
    """Run the command; return 0 if all invariants held, 1 if one did not, 2 without a program."""
    parser = argparse.ArgumentParser(
        prog="python -m fault_injection", description=(__doc__ or "").partition("\n")[0]
    )
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument(
        "--short", action="store_true", help="the form for CI, six to seven minutes"
    )
    parser.add_argument(
        "--only", choices=names, action="append", help="this scenario; may be repeated"
    )
    parser.add_argument(
        "--skip", choices=names, action="append", default=[], help="not this one; may be repeated"
    )
    parser.add_argument("--seed", type=int, help="of all chance in it (default: a new one)")
    parser.add_argument("--list", action="store_true", help="print the scenarios and do nothing")
    given = parser.parse_args()
    console = Console()
    if given.list:
        for scenario in SCENARIOS:
            print(f"{scenario.name:10} {scenario.fault}: {scenario.invariant}")
        return 0
    scenarios = [
        scenario
        for scenario in SCENARIOS
        if (given.only is None or scenario.name in given.only) and scenario.name not in given.skip
    ]
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    try:
        for name in sorted({name for scenario in scenarios for name in scenario.needs}):
            find_program(name)
    except MissingProgramError as missing:
        print(f"fault_injection: {missing}", file=sys.stderr)
        return 2
    raise_open_file_limit()
    # SIGTERM ends the started processes too, as Ctrl-C does. A shell script starts a command with
    # `&` with SIGINT ignored, so the handler of SIGINT is set again.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    console.print(f"seed {seed}, the {'short' if given.short else 'long'} form")
    try:
        with tempfile.TemporaryDirectory(prefix="faults-") as shared:
            results = asyncio.run(run_all(scenarios, seed, given.short, Path(shared), console))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    console.print(table(results))
    failed = [result.scenario.name for result in results if not result.passed]
    minutes = sum(result.seconds for result in results) / 60
    console.print(f"not held: {', '.join(failed)}" if failed else "all of it held")
    console.print(f"in {minutes:.1f} minutes")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
