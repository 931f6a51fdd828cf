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

TRIES_EVERY = 0.02
"""Seconds between two looks at something that is waited for."""


class FaultError(Exception):
    """A scenario cannot go on; the text says why."""


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
        say: shows how far the scenario is.
    """

    name: str
    seed: int
    short: bool
    shared: Path
    say: Callable[[str], None]
    figures: dict[str, object] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    """Times that were too long. The machine may be busy, so the scenario is then run again."""
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def __post_init__(self) -> None:
        self.random = random.Random(f"{self.seed} {self.name}")  # noqa: S311
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=self.shared))
        self.stack.callback(shutil.rmtree, self.folder)

    def short_or_long(self, short: T, long: T) -> T:
        """Return what the form that is run asks for."""
        return short if self.short else long

    def count(self, name: str, number: int) -> None:
        """Add to a figure."""
        before = self.figures.get(name, 0)
        self.figures[name] = number + (before if isinstance(before, int) else 0)

    def expect(self, what: str, holds: bool, detail: object = "") -> None:
        """Note that something must hold, and that it does not if so."""
        if not holds:
            self.broken.append(f"{what}: {detail}" if detail != "" else what)

    def expect_time(self, what: str, holds: bool, detail: object) -> None:
        """Note that a time must be short enough, and that it is not if so."""
        if not holds:
            self.slow.append(f"{what}: {detail}")

    def expect_equal(self, what: str, found: object, wanted: object) -> None:
        """Note that two things must be equal."""
        self.expect(what, found == wanted, f"{found!r} instead of {wanted!r}")


async def wait_until(what: str, holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something holds.

    Raises:
        FaultError: it does not, however long one waits.
    """
    await wait_until_async(what, _as_async(holds), seconds)


async def wait_until_async(
    what: str, holds: Callable[[], Awaitable[bool]], seconds: float = 30
) -> None:
    """Wait until something holds that takes time to find out."""
    end = asyncio.get_running_loop().time() + seconds
    while not await holds():
        if asyncio.get_running_loop().time() > end:
            raise FaultError(f"{what}: not within {seconds:.0f} s")
        await asyncio.sleep(TRIES_EVERY)


def _as_async(holds: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return holds()

    return ask


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
