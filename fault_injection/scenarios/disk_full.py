"""The disk is full, and later has space again."""

import json
import os
import resource
import subprocess
from collections import Counter
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context, wait_until
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess, Process
from tests.support.api_session import ApiSession

LONG_AGO = 120_000
"""Age in milliseconds of the last use of a session, so that the next request stores its use."""


class Disk(Protocol):
    """A folder for the data that can be made full."""

    name: str
    folder: Path

    def fill(self, chat: ChatProcess) -> None:
        """Use up all space."""

    def empty(self, chat: ChatProcess) -> None:
        """Free the space again."""


class TmpfsDisk:
    """A file system in memory that is filled: "No space left on device".

    Args:
        folder: where it is mounted.
    """

    name = "tmpfs"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, chat: ChatProcess) -> None:
        """Write a file until not one more byte fits."""
        with self._ballast.open("wb", buffering=0) as file:
            for size in 1 << 16, 1 << 12, 1:
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def empty(self, chat: ChatProcess) -> None:
        """Remove that file."""
        self._ballast.unlink()


class FileSizeLimit:
    """A limit on the size of the chat's files (RLIMIT_FSIZE): "File too large". Needs no root.

    Args:
        folder: the folder of the data.
    """

    name = "RLIMIT_FSIZE"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, chat: ChatProcess) -> None:
        """Limit the size of files to that of the smallest file of the database."""
        size = min(path.stat().st_size for path in self.folder.glob("chat.db*"))
        _, hard = resource.prlimit(chat.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(chat.pid, resource.RLIMIT_FSIZE, (size, hard))

    def empty(self, chat: ChatProcess) -> None:
        """Remove the limit."""
        _, hard = resource.prlimit(chat.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(chat.pid, resource.RLIMIT_FSIZE, (hard, hard))


def tmpfs_disk(context: Context) -> TmpfsDisk | None:
    """Mount a file system of 64 MiB, of which SQLite's log takes 16; return None if not allowed."""
    if os.geteuid() != 0:
        return None
    folder = context.folder / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "none", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        return None
    unmount = ["umount", "--lazy", str(folder)]
    context.stack.callback(subprocess.run, unmount, check=False)
    return TmpfsDisk(folder)


async def run(context: Context) -> None:
    """Fill each kind of disk that this user may use."""
    folder = context.folder / "limited"
    folder.mkdir()
    disks = [disk for disk in (tmpfs_disk(context), FileSizeLimit(folder)) if disk is not None]
    for disk in disks:
        await fill_and_recover(context, disk)
    context.figures["disks"] = " and ".join(disk.name for disk in disks)


async def fill_and_recover(context: Context, disk: Disk) -> None:
    """Fill a disk under load, check reads and refusals, and free the space again."""
    pool = ClientPool(context, data=disk.folder, rooms=2, members=5)
    chat = pool.chat(disk.name)
    log = await start_with_piped_log(context, chat)
    session = ApiSession(chat.url, pool.credentials[0][0], pool.http)
    await session.token()  # before the disk is full
    pool.connect_all()
    pool.start_sending()
    for time in range(context.short_or_long(1, 10)):
        context.progress(
            f"{disk.name}: {len(pool.client_log.acked)} acknowledged, full {time + 1} times"
        )
        await pool.wait_for_acks(200)
        with pool.engine.begin() as connection:
            connection.execute(
                sa.text("UPDATE sessions SET seen_at = seen_at - :ago"), {"ago": LONG_AGO}
            )
        errors = pool.total("errors").total()
        disk.fill(chat)
        # When one message of each client is refused, SQLite's log has reached its limit.
        refused = errors + len(pool.clients)
        await wait_until("it is full", lambda: pool.total("errors").total() >= refused)  # noqa: B023
        acked = len(pool.client_log.acked)
        await check_reads(context, disk, pool, session)
        context.expect_equal(f"{disk.name}: integrity while full", pool.integrity(), "ok")
        context.figures[f"{disk.name}: acked while full"] = len(pool.client_log.acked) - acked
        disk.empty(chat)
    await pool.stop_and_converge()
    pool.verify()
    context.expect_equal(f"{disk.name}: integrity", pool.integrity(), "ok")
    strange = set(pool.total("errors")) - {"unavailable"}
    context.expect_equal(f"{disk.name}: other errors than 'unavailable'", strange, set())
    context.expect_equal(f"{disk.name}: broken connections", dict(pool.total("closes")), {})
    context.figures[f"{disk.name}: refused"] = pool.total("errors").total()
    await stop_and_check_leaks(pool)
    await log.wait()


async def start_with_piped_log(context: Context, chat: ChatProcess) -> Process:
    """Start the chat with a log that another process writes, and return that process.

    The limit on the size of files does not apply to it.
    """
    end, begin = os.pipe()
    log = Process(context, chat.name)
    try:
        await log.spawn("cat", stdin=end)
        await chat.start(stderr=begin)
        return log
    finally:
        os.close(end)
        os.close(begin)


async def check_reads(context: Context, disk: Disk, pool: ClientPool, session: ApiSession) -> None:
    """Check that pages, history and lists are answered, because reads need no space."""
    failed: Counter[str] = Counter()
    for cookie, conv in pool.credentials:
        reader = ApiSession(session.url, cookie, pool.http)
        history = f"/api/conversations/{conv}/events?after=0"
        for path in "/", "/api/state", history, "/readyz":
            response = await reader.fetch(path)
            if response.code != 200:
                failed[f"{path}: {response.code}"] += 1
            elif path == history and len(json.loads(response.body)["events"]) < 10:
                failed["a short history"] += 1
    context.expect_equal(f"{disk.name}: reads that failed", dict(failed), {})
    code, answer = await session.call("POST", "/api/groups", {"title": "No room"})
    refused = code >= 500 and "error" in answer
    context.expect(f"{disk.name}: a new group is refused", refused, (code, answer))
    context.figures[f"{disk.name}: new group"] = f"{code} {answer.get('error', {}).get('code')}"
