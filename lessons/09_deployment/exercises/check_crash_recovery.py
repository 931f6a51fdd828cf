"""supervisor runs two instances; one is killed, the other answers, and the first comes back.

Needs:  supervisor
"""

import os
import signal
import sys
import time

from course.exercise_case import Mismatch
from course.program_case import ProgramCase

CONF = (
    "SUPERVISOR: with numprocs=2 the process_name has to contain %(process_num)d,\n"
    "which counts from 0 unless numprocs_start says otherwise"
)
PORTS = "SUPERVISOR: numprocs=2, numprocs_start=1, and in the command  --port=APP_%(process_num)d"
BACK = "SUPERVISOR: autorestart=true"
LOGS = "SUPERVISOR: stdout_logfile=%(here)s/app-%(process_num)d.log  gives each a file of its own"
HEAD = """
[supervisord]
nodaemon=true
pidfile=%(here)s/supervisord.pid
logfile=%(here)s/supervisord.txt
"""


class CrashRecovery(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        text = self.text("SUPERVISOR").replace("PYTHON", sys.executable)
        text = text.replace("FILE", str(self.subject.__file__))
        (self.folder / "supervisor.conf").write_text(HEAD + text, encoding="utf-8")
        command = [self.program("supervisord", "supervisor"), "-c", "supervisor.conf"]
        said = "supervisord with SUPERVISOR"
        self.start(command, self.apps[0], said=said, look=CONF)

    def pid(self, port: int, not_this: str = "", *, look: str) -> str:
        """Which process answers on this port; asked again until one does, and not this one."""
        self.front = port
        limit = time.monotonic() + 6
        while True:
            answer = self.send("GET", "/pid")
            if answer.status == 200 and answer.text != not_this:
                return answer.text
            if time.monotonic() > limit:
                answer.expect(status=200, look=look)
            time.sleep(0.1)

    def test_one_is_killed_and_comes_back(self) -> None:
        one, other = [self.pid(port, look=PORTS) for port in self.apps]
        # Whatever dies in its first second supervisor tries again, autorestart or not.
        limit = time.monotonic() + 6
        while (self.folder / "supervisord.txt").read_text().count("entered RUNNING state") < 2:
            if time.monotonic() > limit:
                raise Mismatch(
                    sent="supervisord with SUPERVISOR", came="not two RUNNING", look=CONF
                )
            time.sleep(0.1)
        os.kill(int(one), signal.SIGKILL)
        self.pid(self.apps[1], look=PORTS)
        self.pid(self.apps[0], one, look=BACK)
        if self.pid(self.apps[1], look=PORTS) != other:
            raise Mismatch(
                sent="kill -9 of the first", came="the second is another process", look=CONF
            )
        logs = sorted(path.name for path in self.folder.glob("app*.log"))
        self.expect(len(logs), 2, sent=f"which logs are there?\n{' '.join(logs)}", look=LOGS)
