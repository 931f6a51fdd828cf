"""Test case for checks that run the learner's file behind other programs: nginx, supervisor.

    class Pids(ServiceCase):
        def test_it_answers(self) -> None:
            self.start_nginx(self.subject.NGINX, advice="NGINX")
            self.send("GET", "/pid").expect(status=200, advice="PidHandler")

In a configuration the words FRONT, APP_1 and APP_2 stand for ports. `send` sends to FRONT.
"""

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from course.ports import is_listening
from course.testing.http import ExerciseCase, InvalidSubmission, Mismatch
from course.translation import translate

START_TIMEOUT = 8.0  # seconds that a program may take until it listens
STOP_TIMEOUT = 5.0  # seconds that a program may take to end after SIGTERM
MAX_SHOWN_LINES = 4  # last lines of a program's output in a failure
# Debian installs servers in sbin, which is not on every user's PATH.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
NGINX_CONF = """
events {{}}
http {{
access_log off;
client_body_temp_path body; proxy_temp_path proxy;
fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
{}
}}
"""


class ServiceCase(ExerciseCase):
    """An `ExerciseCase` that starts programs in a temporary folder and on free ports.

    Attributes:
        folder: the current folder of the programs; it is deleted after the test.
        front: the port to which `send` sends.
        apps: the ports for APP_1 and APP_2.
    """

    def setUp(self) -> None:
        """Make the programs' folder and choose the ports."""
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self._programs = self.enterContext(contextlib.ExitStack())
        self.port_block = _free_port_block()
        self.apps, self.front = (
            [self.port_block * 10 + 1, self.port_block * 10 + 2],
            self.port_block * 10 + 3,
        )
        super().setUp()

    def tearDown(self) -> None:
        """Stop the programs."""
        self._programs.close()
        super().tearDown()

    def get_url(self, path: str) -> str:
        """Return the URL of a path at FRONT."""
        return f"http://localhost:{self.front}{path}"

    def configuration(self, name: str) -> str:
        """Return a configuration from the learner's file, with the ports filled in.

        Args:
            name: the variable that holds the configuration.

        Raises:
            InvalidSubmission: the learner's file has no text of that name.
        """
        text = getattr(self.subject, name, None)
        if not isinstance(text, str):
            raise InvalidSubmission(
                translate(
                    "The file has no text {name}: the check reads the configuration there.",
                    name=name,
                )
            )
        return text.replace("FRONT", str(self.front)).replace("APP_", str(self.port_block))

    def find_program(self, name: str, package: str) -> str:
        """Return the path of a program.

        Args:
            name: the program.
            package: the package of Debian and Homebrew that has it, for the message.

        Raises:
            InvalidSubmission: the program is not installed.
        """
        found = shutil.which(name, path=SEARCH_PATH)
        if not found:
            raise InvalidSubmission(
                translate(
                    "This check needs {name}, which is neither on the PATH nor in /usr/sbin. "
                    "Debian, Ubuntu: sudo apt install {package}. macOS: brew install {package}. "
                    "Your file may be right: without this program it cannot be checked.",
                    name=name,
                    package=package,
                )
            )
        return found

    def start_app(self, port: int, *, advice: str) -> subprocess.Popen[bytes]:
        """Start the learner's file on a port, and wait until it listens."""
        command = [sys.executable, str(self.subject.__file__), f"--port={port}"]
        return self.start(command, port, label=f"python3 FILE --port={port}", advice=advice)

    def start_nginx(self, *, advice: str) -> None:
        """Start nginx with the configuration NGINX of the learner's file."""
        text = self.configuration("NGINX")
        nginx = self.find_program("nginx", "nginx")
        (self.folder / "nginx.conf").write_text(NGINX_CONF.format(text), encoding="utf-8")
        settings = "daemon off; pid nginx.pid; worker_processes 1;"
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # Windows has no root
            settings += " user root;"
        command = [nginx, "-p", f"{self.folder}/", "-e", "stderr", "-c", "nginx.conf"]
        self.start([*command, "-g", settings], self.front, label="nginx with NGINX", advice=advice)

    def start(
        self, command: list[str], port: int, *, label: str, advice: str
    ) -> subprocess.Popen[bytes]:
        """Start a program and wait until it listens; it is stopped after the test.

        Args:
            command: the program with its arguments.
            port: the port on which the program must listen.
            label: the description of the command in a failure.
            advice: the advice if the program does not listen.

        Raises:
            Mismatch: the program has ended, or does not listen within START_TIMEOUT.
        """
        process = self.launch(command, str(port))
        limit = time.monotonic() + START_TIMEOUT
        while not is_listening(port):
            if process.poll() is not None or time.monotonic() > limit:
                if process.poll() is None:
                    received = translate("nothing listens on port {port}", port=port)
                else:
                    received = translate("it has ended")
                summary = "\n".join([received, *self.last_log_lines(str(port))])
                expected = translate("it listens on port {port}", port=port)
                raise Mismatch(sent=label, received=summary, expected=expected, advice=advice)
            time.sleep(0.02)
        return process

    def launch(self, command: list[str], name: str) -> subprocess.Popen[bytes]:
        """Start a program with its output in the log of the given name; stop it after the test."""
        with (self.folder / f"{name}.log").open("wb") as file:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdout=file,
                stderr=file,
                env={**os.environ, "PATH": SEARCH_PATH},
            )
        self._programs.callback(_stop_process, process)
        return process

    def last_log_lines(self, name: str) -> list[str]:
        """Return the last lines of the log of the given name, or of the given port."""
        text = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        text = text.replace(f"{self.folder}/", "")
        return [line[:200] for line in text.splitlines()[-MAX_SHOWN_LINES:]]


def _free_port_block() -> int:
    """Return a number N such that the ports 10 * N + 1, + 2 and + 3 are free."""
    while True:  # below 32768, where Linux starts the range of ephemeral ports
        block = random.randrange(1100, 3200)  # noqa: S311, no secret
        with contextlib.suppress(OSError):
            for last in (1, 2, 3):
                socket.create_server(("127.0.0.1", block * 10 + last)).close()
            return block


def _stop_process(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
