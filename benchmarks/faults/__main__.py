"""Let the chat run into every fault, and see that what it promises holds.

python -m benchmarks.faults --short
python -m benchmarks.faults --only=kill --seed=7
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

from benchmarks.faults.crowd import lift_limits
from benchmarks.faults.leaks import Held, left_since
from benchmarks.faults.rows import ROWS, Row
from benchmarks.faults.servers import program
from benchmarks.faults.stage import FaultError, Missing, Stage

LONGEST = {True: 300, False: 3600}
"""Seconds that a row may take, short and long."""
SHOW_EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal."""


@dataclass(frozen=True)
class Result:
    """What came out of a row."""

    row: Row
    seconds: float
    processor: float
    """Seconds of processor time, of this process and of those that it started."""
    figures: dict[str, object]
    broken: list[str]

    def text(self) -> str:
        """Return the figures, for a cell."""
        return ", ".join(f"{name} {_plain(value)}" for name, value in self.figures.items())


def _plain(value: object) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else str(value)


class Progress:
    """Shows how far a row is: in place in a terminal, now and then a line elsewhere."""

    def __init__(self, console: Console, status: Status, name: str) -> None:
        self._console = console
        self._status = status
        self._name = name
        self._shown = time.monotonic()

    def show(self, text: str) -> None:
        """Say it."""
        line = f"       {self._name}: {escape(text)}"
        if self._console.is_terminal:
            self._status.update(line.strip())
        elif time.monotonic() - self._shown > SHOW_EVERY:
            self._shown = time.monotonic()
            self._console.print(line, highlight=False)


async def play(row: Row, seed: int, short: bool, shared: Path, console: Console) -> Result:
    """Play one row, clear up after it, and see that nothing of it is left."""
    begin, begin_processor = time.monotonic(), processor_time()
    with console.status(row.fault) as status:
        before = Held.now()
        progress = Progress(console, status, row.name)
        stage = Stage(row.name, seed, short, shared, progress.show)
        async with stage.stack:
            try:
                async with asyncio.timeout(LONGEST[short]):
                    await row.play(stage)
            except (FaultError, TimeoutError) as error:
                stage.expect("it came to its end", False, str(error) or "it took too long")
            except BaseExceptionGroup as errors:  # of what was played side by side
                for one in errors.exceptions:
                    stage.expect("it came to its end", False, repr(one))
            except Exception as error:
                console.print_exception()
                stage.expect("it came to its end", False, repr(error))
        stage.broken += [f"left behind: {what}" for what in await left_since(before)]
        stage.expect("left behind", not stage.folder.exists(), stage.folder)
    seconds, processor = time.monotonic() - begin, processor_time() - begin_processor
    return Result(row, seconds, processor, stage.figures, stage.broken)


def processor_time() -> float:
    """Return the seconds of processor time that were used here and by all that has ended."""
    return sum(os.times()[:4])


async def play_all(
    rows: list[Row], seed: int, short: bool, shared: Path, console: Console
) -> list[Result]:
    """Play rows one after the other, and print what came out of each."""
    # As Ctrl-C does: what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    results = []
    for row in rows:
        result = await play(row, seed, short, shared, console)
        results.append(result)
        word = "[green]holds [/]" if not result.broken else "[red]BROKEN[/]"
        console.print(f"{word} {row.name} ({result.seconds:.1f} s)")
        for problem in result.broken:
            console.print(f"  [red]{escape(problem)}[/]", highlight=False)
    return results


def table(results: list[Result]) -> Table:
    """Return what was tried and what held."""
    made = Table(show_lines=True)
    for column in "row", "fault", "must hold", "held", "figures", "s", "CPU s":
        made.add_column(column)
    for result in results:
        row = result.row
        held = "yes" if not result.broken else "NO"
        spent = f"{result.seconds:.0f}", f"{result.processor:.0f}"
        made.add_row(*map(escape, (row.name, row.fault, row.holds, held, result.text(), *spent)))
    return made


def main() -> int:
    """Return 0 when all rows hold, 1 when one does not, 2 when something is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faults", description=(__doc__ or "").partition("\n")[0]
    )
    names = [row.name for row in ROWS]
    parser.add_argument("--short", action="store_true", help="the form for CI, under two minutes")
    parser.add_argument("--only", choices=names, action="append", help="this row; may be repeated")
    parser.add_argument("--seed", type=int, help="of all chance in it (default: a new one)")
    parser.add_argument("--list", action="store_true", help="print the rows and do nothing")
    given = parser.parse_args()
    console = Console()
    if given.list:
        for row in ROWS:
            print(f"{row.name:10} {row.fault}: {row.holds}")
        return 0
    rows = [row for row in ROWS if given.only is None or row.name in given.only]
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    try:
        for name in sorted({name for row in rows for name in row.needs}):
            program(name)
    except Missing as missing:
        print(f"benchmarks.faults: {missing}", file=sys.stderr)
        return 2
    lift_limits()
    console.print(f"seed {seed}, the {'short' if given.short else 'long'} form")
    try:
        with tempfile.TemporaryDirectory(prefix="faults-") as shared:
            results = asyncio.run(play_all(rows, seed, given.short, Path(shared), console))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    console.print(table(results))
    broken = [result.row.name for result in results if result.broken]
    minutes = sum(result.seconds for result in results) / 60
    console.print(f"not held: {', '.join(broken)}" if broken else "all of it held")
    console.print(f"in {minutes:.1f} minutes")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
