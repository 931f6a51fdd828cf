"""Worker process that converts one picture; `pictures` starts it and can kill it.

    python -m capstone_chat.accounts.picture_worker

Standard input holds the length of an upload (8 bytes, big endian) and the upload. It stays open. If
it is closed, this process ends at once, so it never outlives the chat. Standard output gets the
WebP picture (exit code 0) or a message for the user (exit code REFUSED).
"""

import contextlib
import faulthandler
import os
import signal
import sys
import threading
from pathlib import Path

REFUSED = 3
"""Exit code for a refused upload; the reason is on standard output."""

CPU_LIMIT = 5
"""Maximum CPU time in seconds. The slowest picture within all limits takes about one second."""

TIME_LIMIT = 15
"""Seconds of wall time after which the process ends itself, with exit code 1."""

MAX_EXTRA_MEMORY = 96 << 20
"""Bytes of address space that the process may allocate after its start. This is a second limit for
files with a false header; `avatars.MAX_MEMORY` is the limit for all others."""


def set_limits() -> None:
    """Limit the time and the memory of this process, as far as the system supports it."""
    # The watchdog thread is in C and does not need the GIL, which a decoder may hold for long.
    faulthandler.dump_traceback_later(TIME_LIMIT, exit=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # after Ctrl-C the chat ends this process
    with contextlib.suppress(ImportError, OSError, ValueError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT, CPU_LIMIT + 1))  # SIGXCPU, SIGKILL
        pages = int(Path("/proc/self/statm").read_text().split()[0])  # only on Linux
        limit = pages * resource.getpagesize() + MAX_EXTRA_MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def exit_when_stdin_closes() -> None:
    """Wait until standard input is closed, which means that the chat has ended; end the process."""
    os.read(0, 1)
    os._exit(1)


def main() -> None:
    """Read an upload from standard input and write the picture to standard output."""
    # Not at the top: the chat imports the constants of this module and does not need Pillow. Before
    # set_limits: the address space of the libraries does not count for MAX_EXTRA_MEMORY.
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
