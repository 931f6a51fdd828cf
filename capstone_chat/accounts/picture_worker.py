"""Draws one picture in a process of its own, which `pictures` starts and can kill.

    python -m capstone_chat.accounts.picture_worker

Standard input holds the length of an upload (8 bytes, big endian) and the upload. It stays open:
when it is closed, this process ends at once, so it never outlives the chat, however that ends.
Standard output gets the WebP picture (exit code 0) or a message for the user (exit code REFUSED).
"""

import contextlib
import faulthandler
import os
import signal
import sys
import threading
from pathlib import Path

REFUSED = 3
"""Exit code: the upload is refused, the reason is on standard output."""

CPU_LIMIT = 5
"""Seconds of processor time. The slowest picture within all limits takes about one."""

TIME_LIMIT = 15
"""Seconds of wall time after which the process ends itself, with exit code 1."""

MAX_EXTRA_MEMORY = 96 << 20
"""Bytes of address space that the process may take beside what it has after its start. This is the
second line of defence: `avatars.MAX_MEMORY` holds for all files whose header tells the truth."""


def set_limits() -> None:
    """Bound time and memory of this process, as far as the system can."""
    # A thread in C, which needs no interpreter lock: decoders may hold that for long.
    faulthandler.dump_traceback_later(TIME_LIMIT, exit=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the chat, which then ends this
    with contextlib.suppress(ImportError, OSError, ValueError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT, CPU_LIMIT + 1))  # SIGXCPU, SIGKILL
        pages = int(Path("/proc/self/statm").read_text().split()[0])  # only on Linux
        limit = pages * resource.getpagesize() + MAX_EXTRA_MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def exit_when_stdin_closes() -> None:
    """Wait until standard input is closed, then end the process: the chat has ended."""
    os.read(0, 1)
    os._exit(1)


def main() -> None:
    """Read an upload, write the picture."""
    # Not above: the chat reads the numbers there, and does without Pillow. Not below: a part of the
    # address space that it takes is counted before the limit is set.
    from capstone_chat.accounts import avatars, picture_files

    set_limits()
    length = int.from_bytes(sys.stdin.buffer.read(8))
    upload = sys.stdin.buffer.read(length)
    threading.Thread(target=exit_when_stdin_closes, daemon=True).start()
    try:
        answer, code = avatars.make_avatar(upload), 0
    except picture_files.InvalidImage as reason:
        answer, code = str(reason).encode(), REFUSED
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    os._exit(code)  # the thread still reads, and a regular exit would wait for its lock


if __name__ == "__main__":
    main()
