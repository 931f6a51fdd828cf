"""supervisor keeps processes running: one is killed, one restarted, and lost requests counted.

Run it:  python3 learn.py run 09/supervised
Needs:  nginx, supervisor
"""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from app import make_app as make_app  # what is served here
from proxy import PLACES, program, release, running
from tornado.options import define, options, parse_command_line


def supervisorctl(folder: Path) -> list[str]:
    """Return the command that controls the supervisord of this folder."""
    return [program("supervisorctl", "supervisor"), "-c", f"{folder}/supervisor.conf"]


def answer(port: int) -> int:
    """Return the id of the process that answers at a port; 0 if none does."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(client), contextlib.suppress(OSError, http.client.HTTPException):
        client.request("GET", "/who")
        response = client.getresponse()
        return json.load(response)["process"] if response.status == 200 else 0
    return 0


def process_at(port: int) -> int:
    """Wait until a process answers at a port; return its id.

    supervisor calls a process RUNNING after a second; it may not listen yet.
    """
    while not (found := answer(port)):
        time.sleep(0.1)
    return found


def answers_until(done: Callable[[], object], port: int) -> str:
    """Send requests until a condition is true; return how many were answered and lost."""
    seen: Counter[int] = Counter()
    while seen.total() < 20 or not done():
        seen[answer(port)] += 1
        time.sleep(0.02)
    return f"{seen.total() - seen[0]} answered, {seen[0]} lost"


def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    program("nginx", "nginx")
    command = [program("supervisord", "supervisor"), "-c", "supervisor.conf"]
    os.environ["PATH"] = PLACES  # supervisord looks for nginx there
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        apps = release(folder, options.port)[:2]
        run = stack.enter_context(running(command, folder, options.port))
        control = supervisorctl(folder)
        status = [*control, "status"]
        while b"STARTING" in (told := subprocess.run(status, capture_output=True).stdout):
            time.sleep(0.5)
        print(told.decode(), end="")
        first, _ = [process_at(app) for app in apps]
        os.kill(first, signal.SIGKILL)
        back = answers_until(lambda: answer(apps[0]) not in (0, first), options.port)
        print(f"app:1 killed:    {back}")
        restart = subprocess.Popen([*control, "restart", "app:1"], stdout=sys.stderr)
        again = answers_until(lambda: restart.poll() is not None, options.port)
        print(f"app:1 restarted: {again}")
        process_at(apps[0])
        print(f"Behind it: {apps}. Ask it: {' '.join(status)}")
        print(f"Open http://localhost:{options.port}")
        run.wait()


if __name__ == "__main__":
    # As Ctrl-C: SIGTERM alone would leave supervisord running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        main()
