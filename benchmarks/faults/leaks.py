"""Nothing is left behind by a row: no file descriptor, socket, task or process."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

PATIENCE = 10
"""Seconds in which what was closed must be gone."""


@dataclass(frozen=True)
class Held:
    """What this process holds."""

    fds: int
    tasks: int
    children: tuple[str, ...]

    @classmethod
    def now(cls) -> "Held":
        """Look."""
        me = psutil.Process()
        return cls(
            me.num_fds(),
            len(asyncio.all_tasks()),
            tuple(f"{child.pid} {' '.join(child.cmdline())}" for child in me.children(True)),
        )


async def left_since(before: Held) -> list[str]:
    """Return what is held that was not held before, after a while."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while (left := _left(before, Held.now())) and loop.time() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    return left


def _left(before: Held, now: Held) -> list[str]:
    left = []
    if now.fds > before.fds:
        left.append(f"{now.fds - before.fds} file descriptors: {_open_files()}")
    if now.tasks > before.tasks:
        tasks = [str(task.get_coro()) for task in asyncio.all_tasks()]
        left.append(f"{now.tasks - before.tasks} tasks of {tasks}")
    left += [f"process {child}" for child in set(now.children) - set(before.children)]
    return left


def _open_files() -> list[str]:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return []
    found = []
    for link in folder.iterdir():
        try:
            found.append(str(link.readlink()))
        except OSError:
            continue
    return sorted(found)
