"""Row 7: the disk is full, and has room again."""

import json
import os
import resource
import subprocess
from collections import Counter
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from benchmarks.faults.crowd import GENEROUS, Crowd
from benchmarks.faults.leaks import settle
from benchmarks.faults.page import Page
from benchmarks.faults.processes import Chat, Process
from benchmarks.faults.stage import Stage, until

LONG_AGO = 120_000
"""Milliseconds since a session was seen, so that the next request wants to note its use."""


class Disk(Protocol):
    """A place for the data that can be made full."""

    name: str
    folder: Path

    def fill(self, chat: Chat) -> None:
        """Leave no room."""

    def empty(self, chat: Chat) -> None:
        """Give the room back."""


class SmallDisk:
    """A file system of its own, in memory, that is really full: "No space left on device"."""

    name = "tmpfs"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, chat: Chat) -> None:
        """Write until not one byte more fits."""
        with self._ballast.open("wb", buffering=0) as file:
            for size in 1 << 16, 1 << 12, 1:
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def empty(self, chat: Chat) -> None:
        """Remove what was written."""
        self._ballast.unlink()


class LowCeiling:
    """A limit on the size of the chat's files (RLIMIT_FSIZE): "File too large". Needs no rights."""

    name = "RLIMIT_FSIZE"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, chat: Chat) -> None:
        """Let no file grow beyond what the smallest of the database's files has."""
        size = min(path.stat().st_size for path in self.folder.glob("chat.db*"))
        _, hard = resource.prlimit(chat.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(chat.pid, resource.RLIMIT_FSIZE, (size, hard))

    def empty(self, chat: Chat) -> None:
        """Lift the limit."""
        _, hard = resource.prlimit(chat.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(chat.pid, resource.RLIMIT_FSIZE, (hard, hard))


def small_disk(stage: Stage) -> SmallDisk | None:
    """Mount a file system of 64 MiB, if this user may: SQLite's log alone takes 16 of them."""
    if os.geteuid() != 0:
        return None
    folder = stage.folder / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        return None
    unmount = ["umount", "--lazy", str(folder)]
    stage.stack.callback(subprocess.run, unmount, check=False)
    return SmallDisk(folder)


async def play(stage: Stage) -> None:
    """Fill each kind of disk that there is."""
    folder = stage.folder / "ceiling"
    folder.mkdir()
    disks = [disk for disk in (small_disk(stage), LowCeiling(folder)) if disk is not None]
    for disk in disks:
        await full(stage, disk)
    stage.figures["disks"] = " and ".join(disk.name for disk in disks)


async def full(stage: Stage, disk: Disk) -> None:
    """Fill it under load, see what works and what says that it does not, and give room again."""
    crowd = Crowd(stage, disk.folder, rooms=2, members=5)
    chat = Chat(stage, disk.name, f"--data={disk.folder}", *GENEROUS)
    log = await logged_by_another(stage, chat)
    page = Page(crowd.http, crowd.people[0][0])
    await page.open(chat.url)
    crowd.arrive([lambda: chat.url])
    crowd.talk()
    for time in range(stage.pick(1, 10)):
        stage.say(f"{disk.name}: {len(crowd.ledger.acked)} acknowledged, full {time + 1} times")
        enough = len(crowd.ledger.acked) + 200
        await until("messages flow", lambda: len(crowd.ledger.acked) >= enough)  # noqa: B023
        with crowd.engine.begin() as connection:
            connection.execute(
                sa.text("UPDATE sessions SET seen_at = seen_at - :ago"), {"ago": LONG_AGO}
            )
        told = crowd.total("errors").total()
        disk.fill(chat)
        # All that can be sent is refused by now: the log has grown to where it may.
        refused = told + len(crowd.clients)
        await until("it is full", lambda: crowd.total("errors").total() >= refused)  # noqa: B023
        acked = len(crowd.ledger.acked)
        await reads(stage, disk, crowd, chat, page)
        check = integrity(crowd)
        stage.expect_equal(f"{disk.name}: integrity while full", check, "ok")
        stage.figures[f"{disk.name}: acked while full"] = len(crowd.ledger.acked) - acked
        disk.empty(chat)
    await crowd.hush()
    crowd.judge()
    stage.expect_equal(f"{disk.name}: integrity", integrity(crowd), "ok")
    strange = set(crowd.total("errors")) - {"unavailable"}
    stage.expect_equal(f"{disk.name}: other errors than 'unavailable'", strange, set())
    stage.expect_equal(f"{disk.name}: broken connections", dict(crowd.total("closes")), {})
    stage.figures[f"{disk.name}: refused"] = crowd.total("errors").total()
    await settle(stage, crowd, chat)
    await log.ended()


async def logged_by_another(stage: Stage, chat: Chat) -> Process:
    """Start it with a log that another process writes, which the limit on files does not concern;
    return that one."""
    end, begin = os.pipe()
    log = Process(stage, chat.name)
    try:
        await log.spawn("cat", stdin=end)
        await chat.start(stderr=begin)
        return log
    finally:
        os.close(end)
        os.close(begin)


async def reads(stage: Stage, disk: Disk, crowd: Crowd, chat: Chat, page: Page) -> None:
    """See that what needs no room works: pages, history, lists."""
    failed: Counter[str] = Counter()
    for cookie, conv in crowd.people:
        reader = Page(crowd.http, cookie)
        history = f"/api/conversations/{conv}/events?after=0"
        for path in "/", "/api/state", history, "/readyz":
            response = await reader.fetch(chat.url + path)
            if response.code != 200:
                failed[f"{path}: {response.code}"] += 1
            elif path == history and len(json.loads(response.body)["events"]) < 10:
                failed["a short history"] += 1
    stage.expect_equal(f"{disk.name}: reads that failed", dict(failed), {})
    code, answer = await page.call("POST", f"{chat.url}/api/groups", {"title": "No room"})
    refused = code >= 500 and "error" in answer
    stage.expect(f"{disk.name}: a new group is refused", refused, (code, answer))
    stage.figures[f"{disk.name}: new group"] = f"{code} {answer.get('error', {}).get('code')}"


def integrity(crowd: Crowd) -> str:
    """Return what SQLite finds when it looks at the whole file."""
    with crowd.engine.connect() as connection:
        return str(connection.scalar(sa.text("PRAGMA integrity_check")))
