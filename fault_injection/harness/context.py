"""Where one scenario is run: its random numbers, its folder, what it started, and what it found."""

import asyncio
import random
import shutil
import socket
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

POLL_INTERVAL = 0.02
"""Seconds between two checks of a condition."""


class FaultError(Exception):
    """A scenario cannot continue; the text says why."""


class MissingProgram(Exception):
    """A program that a scenario needs is not there; the text says which, and what brings it."""


@dataclass
class Context:
    """The surroundings of a scenario. Whatever it starts here ends with it, in reverse order.

    Args:
        name: of the scenario.
        seed: of all chance in it.
        short: the form for CI; otherwise the long one.
        shared: folder for what serves more than one scenario.
        progress: shows how far the scenario is.
    """

    name: str
    seed: int
    short: bool
    shared: Path
    progress: Callable[[str], None]
    figures: dict[str, object] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    """Times that were too long. The machine may be busy, so the scenario is then run again."""
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.seed} {self.name}")  # noqa: S311
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=self.shared))
        self.stack.callback(shutil.rmtree, self.folder)

    def short_or_long(self, short: T, long: T) -> T:
        """Return what the form that is run asks for."""
        return short if self.short else long

    def count(self, name: str, number: int) -> None:
        """Add to a figure."""
        before = self.figures.get(name, 0)
        self.figures[name] = number + (before if isinstance(before, int) else 0)

    def expect(self, what: str, condition: bool, detail: object = "") -> None:
        """Record a violation unless a condition is true."""
        if not condition:
            self.violations.append(f"{what}: {detail}" if detail != "" else what)

    def expect_time(self, what: str, condition: bool, detail: object) -> None:
        """Record that a time was too long unless a condition is true."""
        if not condition:
            self.slow.append(f"{what}: {detail}")

    def expect_equal(self, what: str, found: object, wanted: object) -> None:
        """Record a violation unless two values are equal."""
        self.expect(what, found == wanted, f"{found!r} instead of {wanted!r}")


async def wait_until(what: str, condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until a condition is true.

    Raises:
        FaultError: it is not true in time.
    """
    await wait_until_async(what, _as_async(condition), seconds)


async def wait_until_async(
    what: str, condition: Callable[[], Awaitable[bool]], seconds: float = 30
) -> None:
    """Wait until a condition is true that takes time to check."""
    end = asyncio.get_running_loop().time() + seconds
    while not await condition():
        if asyncio.get_running_loop().time() > end:
            raise FaultError(f"{what}: not within {seconds:.0f} s")
        await asyncio.sleep(POLL_INTERVAL)


def _as_async(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return condition()

    return check


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
