"""Check that a scenario leaves no file descriptor, socket, task, thread or process behind.

Both this process and the chat processes are checked.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context, FaultError, wait_until, wait_until_async
from fault_injection.harness.processes import ChatProcess

FD_SLACK = 12
"""File descriptors that a chat may open during use: five connections to the database stay open, and
SQLite has two files for each of them and one for all. A leak has at least one for each socket."""
THREAD_SLACK = 4 + 1 + 2 + 2
"""Threads that a chat may start during use: four for reads, one for writes, two for passwords, two
for captchas."""
MAX_TURN_MS = 50
"""Milliseconds that a turn of the loop may take during an attack (see `LoopMonitor`)."""
LOG_LINES = 10
"""Lines that an attack may add to the log."""
LEAK_TIMEOUT = 10
"""Seconds within which closed resources must be released."""


@dataclass(frozen=True)
class Resources:
    """The resources of this process: file descriptors, tasks, threads and child processes."""

    fds: int
    tasks: int
    threads: frozenset[str]
    children: tuple[str, ...]

    @classmethod
    def now(cls) -> "Resources":
        """Return a snapshot of the resources."""
        me = psutil.Process()
        return cls(
            me.num_fds(),
            len(asyncio.all_tasks()),
            # The threads of `asyncio.to_thread` stay until the loop ends.
            frozenset(
                str(thread)
                for thread in threading.enumerate()
                if not thread.name.startswith("asyncio_")
            ),
            tuple(_described(child) for child in me.children(True)),
        )


def _described(child: psutil.Process) -> str:
    """Return the process id and the command of a process, which may have ended."""
    try:
        return f"{child.pid} {' '.join(child.cmdline())}"
    except psutil.Error:  # it has ended, and is a zombie until its parent waits for it
        return f"{child.pid} (ended)"


async def stop_and_check_leaks(pool: ClientPool) -> None:
    """Disconnect all clients, stop their chat processes, and check each of them.

    A process must hold no more resources than before the first client, must have logged no uncaught
    error, and must end with exit code 0.
    """
    await pool.disconnect_all()
    await stop_all(pool.context, *pool.chats)


async def stop_all(context: Context, *chats: ChatProcess) -> None:
    """Stop chat processes without clients, and check them as `stop_and_check_leaks` does."""
    for chat in chats:
        await check_idle(context, chat)
        context.expect_equal(f"{chat.name}: exit code", await chat.stop(), 0)
        context.expect_equal(
            f"{chat.name}: uncaught errors in the log", chat.uncaught_errors()[:3], []
        )


async def check_idle(context: Context, chat: ChatProcess) -> None:
    """Check that a chat process holds no more resources than before the first client."""
    assert chat.idle is not None
    idle = chat.idle

    async def tasks_gone() -> bool:
        return (await chat.usage()).tasks <= idle.tasks

    try:
        await wait_until(
            f"{chat.name} has closed all sockets", lambda: not chat.client_connections()
        )
        await wait_until_async(f"{chat.name} has ended all tasks", tasks_gone)
    except FaultError as error:
        context.expect("left in the chat", False, f"{error}: {await chat.usage()}, idle {idle}")
    now = await chat.usage()
    context.expect(f"{chat.name}: file descriptors", now.fds <= idle.fds + FD_SLACK, (idle, now))
    context.expect(f"{chat.name}: threads", now.threads <= idle.threads + THREAD_SLACK, (idle, now))


@asynccontextmanager
async def few_resources(
    context: Context, chat: ChatProcess, attack: str, growth_kib: int
) -> AsyncGenerator[None]:
    """Check that an attack inside the block costs a chat little of its loop, memory and log.

    Args:
        context: the context of the scenario.
        chat: the chat.
        attack: the attack in words.
        growth_kib: KiB by which the memory may grow.
    """
    before, lines = await chat.usage(), chat.read_log().count("\n")
    await chat.read_monitor()
    yield
    turn = (await chat.read_monitor())["held_ms"]
    growth = (await chat.usage()).kib - before.kib
    added = sum("held_ms" not in line for line in chat.read_log().splitlines()[lines:])
    context.figures[f"{attack}: KiB of growth, log lines, longest turn"] = (growth, added, turn)
    context.expect_time(f"{attack}: longest turn of the loop", turn < MAX_TURN_MS, turn)
    context.expect(f"{attack}: memory", growth < growth_kib, f"it grew by {growth} KiB")
    context.expect(f"{attack}: lines in the log", added <= LOG_LINES, added)


async def leaked_since(before: Resources) -> list[str]:
    """Return the resources that are still held `LEAK_TIMEOUT` seconds later and were not before."""
    loop = asyncio.get_running_loop()
    end = loop.time() + LEAK_TIMEOUT
    while (leaks := _leaks(before, Resources.now())) and loop.time() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    return leaks


def _leaks(before: Resources, now: Resources) -> list[str]:
    leaks = []
    if now.fds > before.fds:
        leaks.append(f"{now.fds - before.fds} file descriptors: {_open_files()}")
    if now.tasks > before.tasks:
        tasks = [str(task.get_coro()) for task in asyncio.all_tasks()]
        leaks.append(f"{now.tasks - before.tasks} tasks of {tasks}")
    leaks += [f"thread {thread}" for thread in now.threads - before.threads]
    leaks += [f"process {child}" for child in set(now.children) - set(before.children)]
    return leaks


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
