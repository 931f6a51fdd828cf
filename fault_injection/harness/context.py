"""The context of a running scenario: random numbers, folder, figures, violations, cleanup."""

import asyncio
import random
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from course.ports import free_port

T = TypeVar("T")

POLL_INTERVAL = 0.02
"""Seconds between two checks of a condition."""


class FaultError(Exception):
    """A scenario cannot continue; the message says why."""


class MissingProgramError(Exception):
    """A program is missing; the message names the program and the package that contains it."""


@dataclass
class Context:
    """The context of one scenario. `stack` ends everything that it starts, in reverse order.

    Args:
        name: name of the scenario.
        seed: seed of all random numbers.
        short: whether this is the short form, for CI.
        shared: folder for files that several scenarios use.
        progress: shows a text with the progress of the scenario.
    """

    name: str
    seed: int
    short: bool
    shared: Path
    progress: Callable[[str], None]
    figures: dict[str, object] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    """Times that exceeded their limits. The machine may be busy, so the scenario is run again."""
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _ports: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Seed the random numbers and create the folder, which is removed at the end."""
        self.rng = random.Random(f"{self.seed} {self.name}")  # noqa: S311
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=self.shared))
        self.stack.callback(shutil.rmtree, self.folder)

    def free_port(self) -> int:
        """Return a port on which nothing listens, and another one at each call."""
        while (port := free_port(0)) in self._ports:
            pass
        self._ports.add(port)
        return port

    def short_or_long(self, short: T, long: T) -> T:
        """Return the first value in the short form, the second value in the long form."""
        return short if self.short else long

    def count(self, name: str, number: int) -> None:
        """Add a number to a figure."""
        before = self.figures.get(name, 0)
        self.figures[name] = number + (before if isinstance(before, int) else 0)

    def expect(self, what: str, condition: bool, detail: object = "") -> None:
        """Record a violation if a condition is false."""
        if not condition:
            self.violations.append(f"{what}: {detail}" if detail != "" else what)

    def expect_time(self, what: str, condition: bool, detail: object) -> None:
        """Record a time that exceeded its limit if a condition is false."""
        if not condition:
            self.slow.append(f"{what}: {detail}")

    def expect_equal(self, what: str, found: object, wanted: object) -> None:
        """Record a violation if two values differ."""
        self.expect(what, found == wanted, f"{found!r} instead of {wanted!r}")


async def wait_until(what: str, condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until a condition is true.

    Args:
        what: the condition in words, for the message of the error.
        condition: checked every `POLL_INTERVAL` seconds.
        seconds: longest time to wait.

    Raises:
        FaultError: the condition is still false after that time.
    """
    await wait_until_async(what, _as_async(condition), seconds)


async def wait_until_async(
    what: str, condition: Callable[[], Awaitable[bool]], seconds: float = 30
) -> None:
    """Wait until an asynchronous condition is true; otherwise as `wait_until`."""
    end = asyncio.get_running_loop().time() + seconds
    while not await condition():
        if asyncio.get_running_loop().time() > end:
            raise FaultError(f"{what}: not within {seconds:.0f} s")
        await asyncio.sleep(POLL_INTERVAL)


def _as_async(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return condition()

    return check
