"""Conversion of uploaded pictures in processes that can be killed, and limits of their memory.

A decoder of hostile files may take any time, and a thread cannot be stopped. Each picture therefore
has its own process (see `picture_worker`), which starts when the upload is complete, ends with its
answer, and is killed if it takes too long. Passwords have another pool, so logins do not wait here.
"""

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from capstone_chat.accounts.picture_files import BROKEN, MAX_UPLOAD_BYTES, InvalidImage
from capstone_chat.accounts.picture_worker import REFUSED, TIME_LIMIT

log = logging.getLogger(__name__)

MAX_PROCESSES = 2 if (os.cpu_count() or 1) > 2 else 1
"""Maximum number of concurrent conversions, each in less than 100 MB. At least one processor is
left for logins and messages."""

QUEUE_TIMEOUT = 15.0
"""Maximum number of seconds between the end of an upload and the start of its conversion."""

CONVERSION_TIMEOUT = TIME_LIMIT + 1.0
"""Seconds after which a process is killed. Its own limit, TIME_LIMIT, ends it before that."""

MAX_UPLOAD_MEMORY = 8 * MAX_UPLOAD_BYTES
"""Maximum number of bytes reserved for uploads that are received, queued or converted."""

MAX_ADDRESS_MEMORY = MAX_UPLOAD_MEMORY // 2
"""Maximum number of bytes reserved for the uploads of one address."""

MIN_RESERVATION = 512 << 10
"""Minimum number of bytes reserved for an upload, which bounds the length of the queue."""

NICENESS = 5
"""Increment of the niceness. If all processors are busy, a process for a picture gets a third of
the CPU time of a process with logins and messages. With a larger increment, conversions on a busy
machine would exceed their time limit."""

CHUNK_SIZE = 64 << 10
"""Number of bytes written to a process, or read from it, at a time."""

MAX_ANSWER = 1 << 20
"""Maximum size of a process's answer in bytes; a picture has about 20 kB."""

TIMED_OUT = (1, -24)
"""Exit codes of a process that has exceeded its limit of wall time (1) or CPU time (SIGXCPU)."""

KILLED = (-9, -15)
"""Exit codes of a process that was killed by `close` or by the system."""

WORKER_COMMAND = (sys.executable, "-m", "capstone_chat.accounts.picture_worker")
PROJECT_DIR = Path(__file__).parent.parent.parent


class Overloaded(Exception):
    """The server has no memory or no process for another upload now."""


class AlreadyUploading(Exception):
    """The user has an upload in flight."""


class TooSlow(Exception):
    """The conversion was stopped because it took too long."""


@dataclass(frozen=True, eq=False)
class Reservation:
    """Memory reserved for an upload of a user."""

    user: int
    address: str
    size: int


class Pictures:
    """Reserves memory for uploads and converts them."""

    def __init__(self) -> None:
        self._reservations: dict[int, Reservation] = {}
        self._addresses: Counter[str] = Counter()
        self._slots = asyncio.Semaphore(MAX_PROCESSES)
        self._processes: set[asyncio.subprocess.Process] = set()
        self._closed = False

    @property
    def reserved(self) -> int:
        """The number of bytes reserved for uploads."""
        return self._addresses.total()

    @property
    def converting(self) -> int:
        """The number of running processes."""
        return len(self._processes)

    def reserve(self, user: int, address: str, size: int) -> Reservation:
        """Reserve memory for an upload before its body is received.

        Args:
            user: id of the user, who may have one upload in flight.
            address: IP address of the client.
            size: number of bytes of the upload.

        Raises:
            AlreadyUploading: another upload of the user is in flight.
            Overloaded: the limit of all uploads, or of this address, would be exceeded.
        """
        if user in self._reservations:
            raise AlreadyUploading
        size = max(size, MIN_RESERVATION)
        if (
            self.reserved + size > MAX_UPLOAD_MEMORY
            or self._addresses[address] + size > MAX_ADDRESS_MEMORY
        ):
            raise Overloaded
        reservation = self._reservations[user] = Reservation(user, address, size)
        self._addresses[address] += size
        return reservation

    def release(self, reservation: Reservation) -> None:
        """Release the memory of an upload. Idempotent."""
        if self._reservations.get(reservation.user) is reservation:
            del self._reservations[reservation.user]
            self._addresses[reservation.address] -= reservation.size
            if not self._addresses[reservation.address]:
                del self._addresses[reservation.address]

    async def convert(self, upload: bytes | bytearray) -> bytes:
        """Convert an upload to an avatar in WebP, see `avatars.make_avatar`.

        Raises:
            InvalidImage: the upload cannot be used as a picture.
            Overloaded: no process was free within QUEUE_TIMEOUT, or none could be started.
            TooSlow: the conversion took longer than TIME_LIMIT.
        """
        try:
            await asyncio.wait_for(self._slots.acquire(), QUEUE_TIMEOUT)
        except TimeoutError:
            raise Overloaded from None
        try:
            if self._closed:
                raise Overloaded
            return await self._run(upload)
        finally:
            self._slots.release()

    async def _run(self, upload: bytes | bytearray) -> bytes:
        """Convert an upload in a new process, and end the process in any case."""
        process = await self._start()
        self._processes.add(process)
        try:
            if self._closed:  # `close` was called while the process was started
                raise Overloaded
            async with asyncio.timeout(CONVERSION_TIMEOUT):
                answer = await self._exchange(process, upload)
                if len(answer) <= MAX_ANSWER:
                    await process.wait()
        except TimeoutError:
            raise TooSlow from None
        finally:
            await self._end(process)
            self._processes.discard(process)
        assert process.returncode is not None
        return self._result(process.returncode, answer)

    async def _start(self) -> asyncio.subprocess.Process:
        try:
            process = await asyncio.create_subprocess_exec(
                *WORKER_COMMAND,
                cwd=PROJECT_DIR,
                # By default glibc reserves 64 MB of address space for each thread.
                env=os.environ | {"MALLOC_ARENA_MAX": "1"},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),  # Windows
            )
        except OSError as error:
            log.error("no process for a picture: %s", error)
            raise Overloaded from None
        if hasattr(os, "setpriority"):  # set by this process, so that it holds during the imports
            with contextlib.suppress(OSError):  # the process has ended
                niceness = os.getpriority(os.PRIO_PROCESS, 0) + NICENESS
                os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
        return process

    async def _exchange(
        self, process: asyncio.subprocess.Process, upload: bytes | bytearray
    ) -> bytes:
        """Write an upload to a process and return its answer; the process may end at any time."""
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(len(upload).to_bytes(8, "big"))
            for start in range(0, len(upload), CHUNK_SIZE):
                process.stdin.write(upload[start : start + CHUNK_SIZE])
                await process.stdin.drain()
        except ConnectionError:
            log.warning("a picture process ended while it was written to")
        answer = b""
        while len(answer) <= MAX_ANSWER and (chunk := await process.stdout.read(CHUNK_SIZE)):
            answer += chunk
        return answer

    def _result(self, code: int, answer: bytes) -> bytes:
        """Return the picture of a process that has ended.

        Raises:
            InvalidImage: the upload cannot be used as a picture.
            TooSlow: the process exceeded a time limit.
            Overloaded: the process was killed.
        """
        if code == 0 and len(answer) <= MAX_ANSWER:
            return answer
        if code == REFUSED:
            raise InvalidImage(answer.decode())
        log.warning("a picture process ended with exit code %s", code)
        if code in TIMED_OUT:
            raise TooSlow
        if code in KILLED:
            raise Overloaded
        raise InvalidImage(BROKEN)  # a decoder has crashed

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Kill a process unless it has ended, and close its pipes."""
        if process.returncode is None:
            process.kill()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        while await process.stdout.read(CHUNK_SIZE):  # asyncio closes a pipe only at its end
            pass
        await process.wait()

    async def close(self) -> None:
        """Kill all processes and start no more. Idempotent."""
        self._closed = True
        for process in self._processes:
            if process.returncode is None:
                process.kill()
        for _ in range(MAX_PROCESSES):
            await self._slots.acquire()
        for _ in range(MAX_PROCESSES):  # queued uploads continue and raise Overloaded
            self._slots.release()
