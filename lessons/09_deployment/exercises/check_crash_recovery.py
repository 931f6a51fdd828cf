"""supervisor runs two processes; each is killed in turn, the other answers, and it comes back.

Needs:  supervisor
"""

import configparser
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Callable

from course.ports import is_listening
from course.testing.http import Mismatch
from course.testing.services import ServiceCase

CONF = "SUPERVISOR: supervisor refuses the file. Its own message says why."
NAME = (
    "SUPERVISOR: several processes of one program need different names: "
    "process_name=%(process_num)d"
)
SECTION = "SUPERVISOR: supervisor starts nothing. A program begins with  [program:NAME]."
TWO = (
    "SUPERVISOR: two processes are asked for: numprocs=2 in one [program] part, or two parts with "
    "numprocs=1 each, which is the default."
)
PORTS = "SUPERVISOR: in the command  --port=APP_%(process_num)d , for the numbers 1 and 2."
ZERO = "SUPERVISOR: the numbers begin with 0. Add  numprocs_start=1 ."
ENDS = "SUPERVISOR: a process ends again and again. Read what it writes: do both use the same port?"
BACK = "SUPERVISOR: autorestart=true, for both."
LOGS = (
    "SUPERVISOR: stdout_logfile=%(here)s/logs/app-%(process_num)d.log  gives each process a file "
    "of its own. Two processes that write into one file lose lines when a new file begins."
)
HEAD = """
[supervisord]
nodaemon=true
pidfile=%(here)s/supervisord.pid
logfile=%(here)s/supervisord.txt
childlogdir=%(here)s/logs
"""
SAID = "supervisord with SUPERVISOR"
STARTED = 1.2  # seconds in which supervisor starts a process, once it has the reason to
LISTENS = 2.5  # seconds until it has looked for the first time, and until a process listens


class CrashRecovery(ServiceCase):
    def setUp(self) -> None:
        super().setUp()
        (self.folder / "logs").mkdir()
        text = self.configuration("SUPERVISOR").replace("PYTHON", sys.executable)
        text = HEAD + text.replace("FILE", str(self.subject.__file__))
        (self.folder / "supervisor.conf").write_text(at_once(text), encoding="utf-8")
        command = [self.find_program("supervisord", "supervisor"), "-c", "supervisor.conf"]
        self.supervisor = self.launch(command, "supervisord")

    def tearDown(self) -> None:
        # Not asked to end: it would look at its processes once a second.
        self.supervisor.kill()
        self.supervisor.wait()
        for pid in dict(re.findall(r"spawned: '([^']*)' with pid (\d+)", self.said())).values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        super().tearDown()

    def spawned(self) -> list[str]:
        """The processes that supervisor has started so far."""
        return re.findall(r"spawned: '([^']*)'", self.said())

    def said(self) -> str:
        file = self.folder / "supervisord.txt"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for a condition; whether it has come true."""
        limit = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > limit:
                return False
            time.sleep(0.02)
        return True

    def failure(self, received: str, expected: str, advice: str, sent: str = SAID) -> Mismatch:
        logs = [path for path in self.folder.rglob("*") if path.suffix not in (".conf", ".pid")]
        text = "".join(path.read_text(errors="replace") for path in logs if path.is_file())
        lines = [line for line in text.splitlines() if re.search(r"\w*Error\b", line)]
        told = "\n".join([received, *list(dict.fromkeys(lines))[-2:]]).replace(
            f"{self.folder}/", ""
        )
        return Mismatch(sent=sent, received=told, expected=expected, advice=advice)

    def pid(self, port: int) -> str:
        """Which process answers on this port; nothing if none does."""
        self.front = port
        answer = self.send("GET", "/pid")
        return answer.text.strip() if answer.status == 200 else ""

    def start_both(self) -> None:
        """Wait until both processes listen, or say why they do not."""
        self.until(lambda: "started with pid" in self.said() or self.has_ended(), 5)
        self.until(lambda: bool(self.spawned()) or self.has_ended(), LISTENS)
        if self.has_ended():
            received = self.last_log_lines("supervisord")
            advice = NAME if "process_num" in "".join(received) else CONF
            raise self.failure("\n".join(["it has ended", *received[:1]]), "it runs", advice)
        if not self.spawned():
            raise self.failure("it runs, and starts nothing", "two processes", SECTION)
        # All that start together are in its log before the first of them listens.
        self.until(lambda: any(is_listening(port) for port in self.apps), LISTENS)
        names = sorted(set(self.spawned()))
        if len(names) != 2:
            received = f"it has started  {', '.join(names)}"
            raise self.failure(received, "it has started two processes", TWO)
        # On a slow computer, a process that finds its port taken needs a while to say so.
        self.until(
            lambda: all(map(is_listening, self.apps)) or len(self.spawned()) > 2, 2 * LISTENS
        )
        silent = [f"nothing listens on port {port}" for port in self.apps if not is_listening(port)]
        if silent:
            advice = ZERO if is_listening(self.apps[0] - 1) else PORTS
            if len(self.spawned()) > 2:
                advice = ENDS
            raise self.failure("\n".join(silent), "both ports are served", advice)

    def has_ended(self) -> bool:
        return self.supervisor.poll() is not None

    def test_a_process_that_is_killed_comes_back(self) -> None:
        self.start_both()
        pids = {port: self.pid(port) for port in self.apps}
        one, other = self.apps
        self.kill(one, other, pids)
        self.kill(other, one, pids)
        logs = sorted(
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if path.is_file() and not re.match(r"supervisor|.*-stderr---", path.name)
        )
        if len(logs) < 2:
            received = f"the logs  {', '.join(logs) or '(none)'}"
            raise self.failure(received, "a log for each process", LOGS)

    def kill(self, port: int, other: int, pids: dict[int, str]) -> None:
        """Kill the process on one port, and wait until it is back; the other answers meanwhile."""
        sent = f"kill -9 of the process on port {port}"
        started, ended = len(self.spawned()), self.exits()
        os.kill(int(pids[port]), signal.SIGKILL)
        # Supervisor looks once a second, and each time that a process writes a line: the other one
        # writes a line for each request.
        self.until(lambda: self.pid(other) != pids[other] or self.exits() > ended, 3)
        self.until(lambda: self.pid(other) != pids[other] or len(self.spawned()) > started, STARTED)
        if self.pid(other) != pids[other]:
            received = f"the process on port {other} does not answer, or is another"
            raise self.failure(received, "the other process answers meanwhile", TWO, sent)
        if len(self.spawned()) == started or not self.until(lambda: is_listening(port), LISTENS):
            raise self.failure("it is not started again", "it comes back", BACK, sent)
        pids[port] = self.pid(port)

    def exits(self) -> int:
        return self.said().count("exited: ")


def at_once(text: str) -> str:
    """The configuration with startsecs=0: a process counts as running as soon as it has started.

    The default is one second, in which supervisor starts again what dies, autorestart or not.
    """
    parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(";", "#"))
    try:
        parser.read_string(text)
    except configparser.Error:
        return text  # supervisor says what is wrong
    lines = []
    for line in text.splitlines():
        if not re.match(r"\s*startsecs\s*=", line):
            lines.append(line)
        if line.startswith("[program:"):
            lines.append("startsecs=0")
    return "\n".join(lines) + "\n"
