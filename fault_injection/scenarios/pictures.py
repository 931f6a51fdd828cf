"""Hostile pictures, uploaded by several users, while others log in and send messages."""

import asyncio
import itertools
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from capstone_chat.accounts.pictures import MAX_PROCESSES
from fault_injection.harness import hostile_pictures
from fault_injection.harness.api_session import ApiSession
from fault_injection.harness.bystander import Bystander
from fault_injection.harness.client_pool import NO_LIMITS, ClientPool
from fault_injection.harness.context import Context, wait_until
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess

ALLOWED_MEMORY = 100_000_000
"""Bytes that the chat and its processes may take for one upload, above what the chat has idle."""

ALLOWED_SLOWDOWN = 2.0
"""Factor by which the 95th percentile of a login may grow."""

MIN_LOGINS = 20
"""Logins in a measurement at least."""

ATTACKERS = 6
SAMPLE_EVERY = 0.002
"""Seconds between two looks at the memory."""

WORKER = "capstone_chat.accounts.picture_worker"
PASSWORD = "correct horse battery"  # noqa: S105
ANSWERS = {200, 400, 429, 503}
"""Statuses of an upload."""


async def run(context: Context) -> None:
    """Upload hostile pictures one by one, then many at once, then while the chat is stopped."""
    data = context.folder / "data"
    pool = ClientPool(context, data, rooms=1, members=ATTACKERS + 2)
    pool.set_password(PASSWORD)
    chat = await ChatProcess(context, "chat", f"--data={data}", *NO_LIMITS).start()
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
    await stop_and_check_leaks(context, pool, chat)


class Attack:
    """Users who upload hostile pictures.

    Args:
        files: by what is hostile in each.
    """

    def __init__(
        self, context: Context, pool: ClientPool, chat: ChatProcess, files: dict[str, bytes]
    ) -> None:
        self.context = context
        self.pool = pool
        self.chat = chat
        self.files = files
        self.sessions = [
            ApiSession(pool.http, cookie) for cookie, _ in pool.credentials[:ATTACKERS]
        ]
        self.answers: Counter[int] = Counter()

    async def open(self) -> None:
        """Load the attackers' pages."""
        for session in self.sessions:
            await session.open(self.chat.url)

    async def upload(self, session: ApiSession, file: bytes) -> int:
        """Upload a file and return the status."""
        response = await session.fetch(
            f"{self.chat.url}/api/me/picture",
            method="PUT",
            body=file,
            headers={"X-XSRFToken": session.xsrf_token, "Content-Type": "image/png"},
        )
        self.answers[response.code] += 1
        return response.code

    async def one_by_one(self) -> None:
        """Upload each file alone, and see how much memory that takes."""
        most: dict[str, int] = {}
        await self.upload(self.sessions[0], b"no picture")  # as the first upload of all
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
        """Upload from all users while others log in; return the 95th percentile of those."""
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
        """Upload one file after the other."""
        while True:
            await self.upload(session, self.files[next(names)])

    async def log_in(self, seconds: float) -> float:
        """Log in, one time after the other; return the 95th percentile in milliseconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        taken: list[float] = []
        while loop.time() < end or len(taken) < MIN_LOGINS:
            session = ApiSession(self.pool.http, "")
            begin = loop.time()
            status = await session.login(self.chat.url, "user0", PASSWORD, self.pool.engine)
            taken.append((loop.time() - begin) * 1000)
            self.context.expect_equal("a login", status, 303)
        self.context.count("logins", len(taken))
        return sorted(taken)[round((len(taken) - 1) * 0.95)]

    async def stop_during_uploads(self, *, kill: bool) -> None:
        """End the chat in the middle of uploads; no process may be left. Start it again."""
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
        """See that the chat has no process beside its own."""
        self.context.expect_equal("processes left", children(self.chat.pid), [])


class Memory:
    """Looks at the memory of a chat and its processes from a thread, inside a `with` block."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.idle = resident(pid)
        self.most = self.idle
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)

    @property
    def grown(self) -> int:
        """Bytes by which it was above its value at the start, at most."""
        return self.most - self.idle

    def _look(self) -> None:
        while not self._end.wait(SAMPLE_EVERY):
            self.most = max(self.most, resident(self.pid) + sum(map(peak, children(self.pid))))

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._end.set()
        self._thread.join()


def resident(pid: int, name: str = "VmRSS") -> int:
    """Return a figure of a process's memory in bytes, 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = status.partition(f"{name}:")[2].split()
    return int(found[0]) * 1024 if found else 0


def peak(pid: int) -> int:
    """Return the most memory that a process has had since its start, in bytes."""
    return resident(pid, "VmHWM")


def children(pid: int) -> list[int]:
    """Return the processes of a chat that convert pictures, and have not ended.

    A process that has just been started and still shares the memory of the chat is none of them.
    """
    try:
        found = psutil.Process(pid).children()
    except psutil.Error:
        return []
    return [child.pid for child in found if is_worker(child)]


def is_worker(process: psutil.Process) -> bool:
    """Tell whether a process converts pictures, and has not ended."""
    try:
        return WORKER in process.cmdline() and is_running(process.pid)
    except psutil.Error:  # it has ended meanwhile
        return False


def is_running(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and that nobody waited for does not."""
    try:
        status = psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return False
    return bool(status != psutil.STATUS_ZOMBIE)
