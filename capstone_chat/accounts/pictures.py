"""Converts uploaded pictures in processes that can be killed, and bounds what is uploaded at once.

A decoder for hostile files may take any time, and a thread cannot be ended. So each picture gets a
process (see `picture_worker`): it is started when an upload is complete, ends with its answer, and
is killed when that takes too long. Passwords have a pool of their own, so logins never wait here.
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

from capstone_chat.accounts.picture_files import MAX_UPLOAD_BYTES, InvalidImage
from capstone_chat.accounts.picture_worker import REFUSED, TIME_LIMIT

log = logging.getLogger(__name__)

MAX_PROCESSES = 2 if (os.cpu_count() or 1) > 2 else 1
"""Pictures that are converted at a time, each in less than 100 MB. One processor at least is left
to logins and messages."""

QUEUE_TIMEOUT = 15.0
"""Seconds for which a complete upload waits until its conversion starts."""

CONVERSION_TIMEOUT = TIME_LIMIT + 1.0
"""Seconds from the start of a process until it is killed. The process ends itself before that."""

MAX_UPLOAD_MEMORY = 8 * MAX_UPLOAD_BYTES
"""Bytes reserved for all uploads that are being received, wait, or are converted."""

MAX_ADDRESS_MEMORY = MAX_UPLOAD_MEMORY // 2
"""Bytes reserved for the uploads of one address."""

MIN_RESERVATION = 512 << 10
"""Bytes reserved for an upload at least, however small it is: bounds the length of the queue."""

NICENESS = 5
"""Added to the niceness of the chat. When all processors are busy, a process for pictures gets a
third of what a process with logins and messages gets; with more, pictures would run into their time
limit on a busy machine."""

CHUNK_SIZE = 64 << 10
"""Bytes handed to a process at a time."""

MAX_ANSWER = 1 << 20
"""Bytes that a process may answer; a picture has some 20 kB."""

TIMED_OUT = (1, -24)
"""Exit codes of a process that has reached its limit of wall time or, SIGXCPU, processor time."""

KILLED = (-9, -15)
"""Exit codes of a process that was ended from outside: by `close` or by the system."""

WORKER_COMMAND = (sys.executable, "-m", "capstone_chat.accounts.picture_worker")
PROJECT_DIR = Path(__file__).parent.parent.parent


class Overloaded(Exception):
    """There is no room for another upload just now."""


class AlreadyUploading(Exception):
    """The user has an upload in flight."""


class TooSlow(Exception):
    """The conversion was ended because it took too long."""


@dataclass(frozen=True, eq=False)
class Reservation:
    """Room for an upload of a user."""

    user: int
    address: str
    size: int


class Pictures:
    """Admits uploads and converts them."""

    def __init__(self) -> None:
        self._reservations: dict[int, Reservation] = {}
        self._addresses: Counter[str] = Counter()
        self._slots = asyncio.Semaphore(MAX_PROCESSES)
        self._processes: set[asyncio.subprocess.Process] = set()
        self._closed = False

    @property
    def reserved(self) -> int:
        """Bytes reserved for uploads."""
        return self._addresses.total()

    @property
    def converting(self) -> int:
        """Number of running processes."""
        return len(self._processes)

    def reserve(self, user: int, address: str, size: int) -> Reservation:
        """Reserve memory for an upload, before any of it is received.

        Args:
            user: id of the user; each has one upload in flight at most.
            address: IP address of the client.
            size: bytes.

        Raises:
            AlreadyUploading: the user's last upload is still in flight.
            Overloaded: too much is reserved, in all or for this address.
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
        """Give the memory of an upload back. Idempotent."""
        if self._reservations.get(reservation.user) is reservation:
            del self._reservations[reservation.user]
            self._addresses[reservation.address] -= reservation.size
            if not self._addresses[reservation.address]:
                del self._addresses[reservation.address]

    async def convert(self, upload: bytes | bytearray) -> bytes:
        """Return an upload as a avatar in WebP, see `avatars.make_avatar`.

        Raises:
            InvalidImage: the upload is refused.
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
        """Convert an upload in a new process, and see that the process ends."""
        process = await self._start()
        self._processes.add(process)
        try:
            if self._closed:  # while the process was started
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
                # Without it glibc reserves 64 MB of address space for each thread.
                env=os.environ | {"MALLOC_ARENA_MAX": "1"},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),  # Windows
            )
        except OSError as error:
            log.error("no process for a picture: %s", error)
            raise Overloaded from None
        if hasattr(os, "setpriority"):  # from here, so that its imports have it already
            with contextlib.suppress(OSError):  # it has ended
                niceness = os.getpriority(os.PRIO_PROCESS, 0) + NICENESS
                os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
        return process

    async def _exchange(
        self, process: asyncio.subprocess.Process, upload: bytes | bytearray
    ) -> bytes:
        """Write an upload to a process, and return its answer. The process may end at any time."""
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
        """Return the picture of a process that has ended, or raise the reason why it has none."""
        if code == 0 and len(answer) <= MAX_ANSWER:
            return answer
        if code == REFUSED:
            raise InvalidImage(answer.decode())
        log.warning("a picture process ended with exit code %s", code)
        if code in TIMED_OUT:
            raise TooSlow
        if code in KILLED:
            raise Overloaded
        raise InvalidImage("The picture is broken. Try another one.")  # a decoder has crashed

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Kill a process unless it has ended, and close its pipes."""
        if process.returncode is None:
            process.kill()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        while await process.stdout.read(CHUNK_SIZE):  # asyncio closes a pipe at its end only
            pass
        await process.wait()

    async def close(self) -> None:
        """End all processes, and start no more. Idempotent."""
        self._closed = True
        for process in self._processes:
            if process.returncode is None:
                process.kill()
        for _ in range(MAX_PROCESSES):
            await self._slots.acquire()
        for _ in range(MAX_PROCESSES):  # uploads that still wait are refused
            self._slots.release()
