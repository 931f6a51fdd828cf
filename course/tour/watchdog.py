"""Run a script of the tour and watch it: python -u -m course.tour.watchdog PORT SCRIPT [OPTION]...

The script runs as under `course.script_launcher`. Two threads watch it. One waits for the end of
standard input, which means that the tour has ended, whatever ended it: then this process and its
child processes are killed. The other asks the event loop for a sign of life, and reports a loop
that does not answer, with the line that keeps it: {"blocked": seconds, "file", "line", "source"},
then {"unblocked": seconds}, as lines of JSON. It sends them to PORT of this computer, where the
tour listens, because on Windows no other channel than standard input, output and errors can be
handed to a process. The first line is the mark of the run, so that the tour knows who reports.

A script that does not say where it listens, listens on localhost.
"""

import asyncio
import contextlib
import json
import linecache
import os
import socket
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from tornado import netutil, tcpserver

from course import script_launcher
from course.processes import kill_marked, kill_tree

RUN_VARIABLE = "LEARN_TORNADO_RUN"
"""The variable of the environment that marks the processes of a run."""
PERIOD = 0.1
"""Seconds between two questions to the event loop."""
BLOCKED_AFTER = 0.3
"""Seconds without an answer after which the loop counts as blocked."""
REPEAT_AFTER = 1.0
"""Seconds between two reports of the same block."""
EVERYWHERE = {None, "", "0.0.0.0", "::"}  # noqa: S104 - these are what is replaced
"""The addresses that stand for all addresses of this computer."""


def end_with_tour(channel: int) -> None:
    """Wait until the tour has closed its end of the channel, then kill this process group."""
    with contextlib.suppress(OSError):
        while os.read(channel, 1024):
            pass
    kill_marked(RUN_VARIABLE, os.environ.get(RUN_VARIABLE, ""))
    kill_tree(os.getpid())


class LoopWatch:
    """Asks the running event loop for a sign of life, and reports a loop that is blocked.

    Args:
        channel: the connection to which reports are written.
        folder: the folder of the script; only lines of files in it are reported.
    """

    def __init__(self, channel: socket.socket, folder: Path) -> None:
        self._channel = channel
        self._folder = folder
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0

    def follow_loops(self) -> None:
        """From now on, watch the event loop that was started last."""
        original = asyncio.BaseEventLoop.run_forever

        def run_forever(loop: asyncio.BaseEventLoop) -> None:
            self._loop, self._thread = loop, threading.get_ident()
            try:
                original(loop)
            finally:
                self._loop = None

        asyncio.BaseEventLoop.run_forever = run_forever  # type: ignore[method-assign, assignment]

    def run(self) -> None:
        """Watch until the process ends."""
        while True:
            time.sleep(PERIOD)
            if loop := self._loop:
                with contextlib.suppress(RuntimeError):  # the loop was closed in this moment
                    self._await_answer(loop)

    def _await_answer(self, loop: asyncio.AbstractEventLoop) -> None:
        answered = threading.Event()
        loop.call_soon_threadsafe(answered.set)
        asked = time.monotonic()
        report_at = BLOCKED_AFTER
        blocked = False
        while not answered.wait(PERIOD):
            if self._loop is not loop:
                return
            seconds = time.monotonic() - asked
            # A machine under load delays an idle loop too; then no line of the script is running.
            if seconds >= report_at and (frame := self._own_frame()):
                self._report(blocked=round(seconds, 1), **self._place(frame))
                blocked = True
                report_at = seconds + REPEAT_AFTER
        if blocked:
            self._report(unblocked=round(time.monotonic() - asked, 1))

    def _own_frame(self) -> FrameType | None:
        """Return the innermost frame of the script below the loop, or None if there is none."""
        frame = sys._current_frames().get(self._thread)
        while frame and frame.f_code.co_name != "_run_once":
            if Path(frame.f_code.co_filename).is_relative_to(self._folder):
                return frame
            frame = frame.f_back
        return None

    def _place(self, frame: FrameType) -> dict[str, Any]:
        file = frame.f_code.co_filename
        return {
            "file": Path(file).relative_to(self._folder).as_posix(),
            "line": frame.f_lineno,
            "source": linecache.getline(file, frame.f_lineno).strip(),
        }

    def _report(self, **fields: Any) -> None:
        with contextlib.suppress(OSError):  # the tour has ended
            self._channel.sendall(json.dumps(fields).encode() + b"\n")


def listen_on_loopback() -> None:
    """Replace "all addresses of this computer" by localhost when a script listens with Tornado.

    A learner's script may lack the address, and other computers must not reach it.
    """
    original = netutil.bind_sockets

    def bind_sockets(port: int, address: str | None = None, *args: Any, **kwargs: Any) -> Any:
        return original(port, "localhost" if address in EVERYWHERE else address, *args, **kwargs)

    netutil.bind_sockets = bind_sockets
    tcpserver.bind_sockets = bind_sockets  # type: ignore[attr-defined]


def main() -> int:
    """Run the script that the command line names; return the exit status."""
    channel = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)  # the script reads nothing from the tour
    os.close(null)
    threading.Thread(target=end_with_tour, args=(channel,), daemon=True).start()
    port = int(sys.argv.pop(1))
    with contextlib.suppress(OSError):  # the tour has ended
        reports = socket.create_connection(("127.0.0.1", port))
        reports.sendall(os.environ[RUN_VARIABLE].encode() + b"\n")
        watch = LoopWatch(reports, Path(sys.argv[1]).resolve().parent)
        watch.follow_loops()
        threading.Thread(target=watch.run, daemon=True).start()
    listen_on_loopback()
    return script_launcher.main()


if __name__ == "__main__":
    sys.exit(main())
