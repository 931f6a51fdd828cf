"""Nothing is left behind by a row: no file descriptor, socket, task, thread or process, neither
here nor in the chat processes that it played with."""

import asyncio
import threading
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from benchmarks.faults.crowd import Crowd
from benchmarks.faults.processes import Chat
from benchmarks.faults.stage import FaultError, Stage, until, until_async

SPARE = 12
"""File descriptors that may come with use: five connections to the database stay open, and SQLite
has two files for each and one for all. A leak has one for each socket, or more."""
THREADS = 4 + 1 + 2
"""Threads that come with use: those that read, the one that writes, those for passwords."""
PATIENCE = 10
"""Seconds in which what was closed must be gone."""


@dataclass(frozen=True)
class Held:
    """What this process holds."""

    fds: int
    tasks: int
    threads: frozenset[str]
    children: tuple[str, ...]

    @classmethod
    def now(cls) -> "Held":
        """Look."""
        me = psutil.Process()
        return cls(
            me.num_fds(),
            len(asyncio.all_tasks()),
            # Those of `asyncio.to_thread` stay until the loop ends.
            frozenset(
                str(thread)
                for thread in threading.enumerate()
                if not thread.name.startswith("asyncio_")
            ),
            tuple(f"{child.pid} {' '.join(child.cmdline())}" for child in me.children(True)),
        )


async def settle(stage: Stage, crowd: Crowd, *chats: Chat) -> None:
    """Let everybody go and the chat processes stop: each must hold by then what it held before
    anybody came, must have logged no mistake, and ends well."""
    await crowd.leave()
    for chat in chats:
        await settled(stage, chat)
        stage.expect_equal(f"{chat.name}: exit code", await chat.stop(), 0)
        stage.expect_equal(f"{chat.name}: mistakes in the log", chat.mistakes()[:3], [])


async def settled(stage: Stage, chat: Chat) -> None:
    """See that a chat process holds what it held before anybody came."""
    assert chat.idle is not None
    idle = chat.idle

    async def tasks_gone() -> bool:
        return (await chat.usage()).tasks <= idle.tasks

    try:
        await until(f"{chat.name} has let go of all sockets", lambda: not chat.visitors())
        await until_async(f"{chat.name} has let go of all tasks", tasks_gone)
    except FaultError as error:
        stage.expect("left in the chat", False, f"{error}: {await chat.usage()}, idle {idle}")
    now = await chat.usage()
    stage.expect(f"{chat.name}: file descriptors", now.fds <= idle.fds + SPARE, (idle, now))
    stage.expect(f"{chat.name}: threads", now.threads <= idle.threads + THREADS, (idle, now))


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
    left += [f"thread {thread}" for thread in now.threads - before.threads]
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
