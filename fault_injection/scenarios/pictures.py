"""Hostile pictures are uploaded by several users while others log in and send messages."""

import asyncio
import itertools
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from capstone_chat.accounts.pictures import MAX_PROCESSES
from fault_injection.harness import hostile_pictures
from fault_injection.harness.bystander import Bystander
from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context, wait_until
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess
from tests.support.api_session import ApiSession

ALLOWED_MEMORY = 100_000_000
"""Bytes by which the memory of the chat and its processes may grow for one upload."""

ALLOWED_SLOWDOWN = 2.0
"""Factor by which the 95th percentile of a login may grow."""

MIN_LOGINS = 20
"""Minimum number of logins in a measurement."""

ATTACKERS = 6
SAMPLE_EVERY = 0.002
"""Seconds between two samples of the memory."""

WORKER = "capstone_chat.accounts.picture_worker"
PASSWORD = "correct horse battery"  # noqa: S105
ANSWERS = {200, 400, 429, 503}
"""Statuses with which the chat may answer an upload."""


async def run(context: Context) -> None:
    """Upload hostile pictures one by one, then many at once, then while the chat is stopped."""
    pool = ClientPool(context, rooms=1, members=ATTACKERS + 2)
    pool.set_password(PASSWORD)
    chat = await pool.chat().start()
    await pool.warm_up(chat.url)
    files = {name: make() for name, make in hostile_pictures.ALL.items()}
    attack = Attack(context, pool, chat, files)
    await attack.open()
    await attack.one_by_one()
    bystander = await Bystander(context).start(chat.url, *pool.credentials[-1])
    await bystander.measure_normal(context.short_or_long(1.5, 5.0))
    normal = await attack.log_in(context.short_or_long(2.0, 10.0))
    async with bystander.undisturbed("hostile pictures"):
        disturbed = await attack.many_at_once(context.short_or_long(5.0, 60.0))
    await bystander.kill()
    context.figures["login's p95 ms"] = f"{disturbed:.0f} (normal {normal:.0f})"
    near = disturbed <= ALLOWED_SLOWDOWN * normal
    context.expect_time(
        f"a login's p95 grows by {ALLOWED_SLOWDOWN:g} at most", near, (disturbed, normal)
    )
    context.figures["answers"] = dict(attack.answers)
    context.expect_equal("other answers", set(attack.answers) - ANSWERS, set())
    await attack.stop_during_uploads(kill=False)
    await attack.stop_during_uploads(kill=True)
    await stop_and_check_leaks(pool)


class Attack:
    """Users who upload hostile pictures.

    Args:
        context: the context of the scenario.
        pool: the users.
        chat: the chat.
        files: the pictures, by the attack.
    """

    def __init__(
        self, context: Context, pool: ClientPool, chat: ChatProcess, files: dict[str, bytes]
    ) -> None:
        self.context = context
        self.pool = pool
        self.chat = chat
        self.files = files
        self.sessions = [
            ApiSession(chat.url, cookie, pool.http) for cookie, _ in pool.credentials[:ATTACKERS]
        ]
        self.answers: Counter[int] = Counter()

    async def open(self) -> None:
        """Load the page of each attacker, for its XSRF token."""
        for session in self.sessions:
            await session.token()

    async def upload(self, session: ApiSession, file: bytes) -> int:
        """Upload a file and return the status of the answer."""
        response = await session.fetch(
            "/api/me/picture",
            method="PUT",
            body=file,
            headers={"X-XSRFToken": await session.token(), "Content-Type": "image/png"},
        )
        self.answers[response.code] += 1
        return response.code

    async def one_by_one(self) -> None:
        """Upload each file alone, and measure the memory."""
        most: dict[str, int] = {}
        await self.upload(self.sessions[0], b"no picture")  # the first upload loads modules
        for name, file in self.files.items():
            self.context.progress(f"alone: {name}")
            with Memory(self.chat.pid) as memory:
                status = await self.upload(self.sessions[0], file)
            most[name] = memory.grown
            self.context.expect(f"{name} is an answer", status in (200, 400), status)
            self.context.expect(f"memory of {name}", memory.grown < ALLOWED_MEMORY, memory.grown)
        worst = max(most, key=lambda name: most[name])
        self.context.figures["most memory of an upload"] = f"{most[worst] / 1e6:.0f} MB ({worst})"
        self.check_no_process_left()

    async def many_at_once(self, seconds: float) -> float:
        """Upload from all users while others log in.

        Returns:
            The 95th percentile of the logins, in milliseconds.
        """
        self.context.progress(f"{ATTACKERS} users upload")
        names = itertools.cycle(self.files)
        attackers = [
            asyncio.ensure_future(self.upload_loop(session, names)) for session in self.sessions
        ]
        try:
            return await self.log_in(seconds)
        finally:
            for attacker in attackers:
                attacker.cancel()
            await asyncio.gather(*attackers, return_exceptions=True)
            await wait_until("no process is left", lambda: not children(self.chat.pid))

    async def upload_loop(self, session: ApiSession, names: "itertools.cycle[str]") -> None:
        """Upload one file after the other, until cancelled."""
        while True:
            await self.upload(session, self.files[next(names)])

    async def log_in(self, seconds: float) -> float:
        """Log in repeatedly for some seconds; return the 95th percentile in milliseconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        taken: list[float] = []
        while loop.time() < end or len(taken) < MIN_LOGINS:
            session = ApiSession(self.chat.url, http=self.pool.http)
            begin = loop.time()
            # Not an attacker: after a hundred logins the oldest sessions of a user end.
            response = await self.pool.log_in(session, f"user{ATTACKERS}", PASSWORD)
            taken.append((loop.time() - begin) * 1000)
            self.context.expect_equal("a login", response.code, 303)
        self.context.count("logins", len(taken))
        return sorted(taken)[round((len(taken) - 1) * 0.95)]

    async def stop_during_uploads(self, *, kill: bool) -> None:
        """End the chat during uploads, check that no process is left, and start the chat again."""
        how = "kill -9" if kill else "SIGTERM"
        self.context.progress(f"{how} in the middle of uploads")
        slow = self.files["32 scans"]
        uploads = [asyncio.ensure_future(self.upload(session, slow)) for session in self.sessions]
        await wait_until(
            "pictures are converted", lambda: len(children(self.chat.pid)) == MAX_PROCESSES
        )
        left = children(self.chat.pid)
        if kill:
            await self.chat.kill()
        else:
            self.context.expect_equal(f"{how}: exit code", await self.chat.stop(), 0)
        await asyncio.gather(*uploads, return_exceptions=True)
        await wait_until(f"{how}: no process is left", lambda: not any(map(is_running, left)), 15)
        await self.chat.start()

    def check_no_process_left(self) -> None:
        """Check that the chat has no child process that converts a picture."""
        self.context.expect_equal("processes left", children(self.chat.pid), [])


class Memory:
    """Samples the memory of a chat and its processes in a thread, inside a `with` block.

    Args:
        pid: process id of the chat.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.idle = resident(pid)
        self.most = self.idle
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)

    @property
    def grown(self) -> int:
        """Bytes by which the memory has grown since the start, at most."""
        return self.most - self.idle

    def _look(self) -> None:
        while not self._end.wait(SAMPLE_EVERY):
            self.most = max(self.most, resident(self.pid) + sum(map(peak, children(self.pid))))

    def __enter__(self) -> "Memory":
        """Start to sample."""
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        """Stop the thread."""
        self._end.set()
        self._thread.join()


def resident(pid: int, name: str = "VmRSS") -> int:
    """Return the resident memory of a process in bytes, 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = status.partition(f"{name}:")[2].split()
    return int(found[0]) * 1024 if found else 0


def peak(pid: int) -> int:
    """Return the peak of the resident memory of a process in bytes."""
    return resident(pid, "VmHWM")


def children(pid: int) -> list[int]:
    """Return the ids of the processes of a chat that convert pictures and have not ended.

    A process is left out until it has replaced the program of the chat by its own.
    """
    try:
        found = psutil.Process(pid).children()
    except psutil.Error:
        return []
    return [child.pid for child in found if is_worker(child)]


def is_worker(process: psutil.Process) -> bool:
    """Return whether a process converts pictures and has not ended."""
    try:
        return WORKER in process.cmdline() and is_running(process.pid)
    except psutil.Error:  # the process has ended meanwhile
        return False


def is_running(pid: int) -> bool:
    """Return whether a process runs. A zombie does not run."""
    try:
        status = psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return False
    return bool(status != psutil.STATUS_ZOMBIE)
