"""Two processes of app.py behind nginx, in a folder like that of a server.

Run it:  python3 learn.py run 09/proxy
Needs:  nginx
With another --port all other ports differ too, so that several can run at the same time.
"""

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from app import make_app as make_app  # what is served here
from tls import make_certificate
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent
PARTS = ["app.py", "static", "templates", "nginx.conf", "supervisor.conf"]
# Debian keeps servers in sbin, which is not on every user's PATH.
PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def program(name: str, package: str) -> str:
    """Return the path of a program; if it is missing, print one line and exit with code 2."""
    found = shutil.which(name, path=PLACES)
    if not found:
        print(
            f"{name} is missing: it is neither on the PATH nor in /usr/sbin. Debian, Ubuntu: sudo "
            f"apt install {package}. macOS: brew install {package}. Or in a container: docker run "
            "-it --network=host -v .:/course -w /course debian",
            file=sys.stderr,
        )
        sys.exit(2)
    return found


def free(*ports: int) -> bool:
    """Whether no program listens on these ports."""
    try:
        for port in ports:
            socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def listens(port: int) -> bool:
    """Whether a program listens on a port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def free_tens() -> int:
    """Return a number that, followed by 1, 2 or 3, is a free port."""
    while True:  # below the ports that systems give to clients
        tens = random.randrange(1100, 3200)  # noqa: S311, no secret
        if free(*(tens * 10 + number for number in (1, 2, 3))):
            return tens


def release(folder: Path, port: int) -> list[int]:
    """Copy the files of a server into a folder; return the ports of both processes and of TLS."""
    for part in PARTS:
        copy = shutil.copytree if (HERE / part).is_dir() else shutil.copyfile
        copy(HERE / part, folder / part)
    make_certificate(folder)
    (folder / "logs").mkdir()
    (folder / ".venv").symlink_to(sys.prefix)
    ports, changes = [8001, 8002, 8443], {}
    if port != 8888:
        tens = free_tens()
        ports = [tens * 10 + number for number in (1, 2, 3)]
        changes = {r"\b8888\b": str(port), r"\b8443\b": str(ports[2]), r"\b800(?=[12%])": str(tens)}
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # as in a container: else it becomes nobody
        changes["daemon off;"] = "daemon off; user root;"
    for name in ["nginx.conf", "supervisor.conf"]:
        text = (folder / name).read_text(encoding="utf-8")
        for old, new in changes.items():
            text = re.sub(old, new, text)
        (folder / name).write_text(text, encoding="utf-8")
    taken = [each for each in [port, *ports] if not free(each)]
    if taken:
        sys.exit(f"port {taken[0]} is taken (address already in use): stop what listens there")
    return ports


@contextlib.contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the end of the block; it listens on this port when the block begins."""
    with (folder / "logs" / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    try:
        while not listens(port):
            if process.poll() is not None:
                sys.exit(f"{' '.join(command)} has ended:\n{Path(log.name).read_text()}")
            time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def nginx(folder: Path) -> list[str]:
    """Return the command that runs nginx with the nginx.conf of this folder."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    settings = "daemon off;" + (" user root;" if root else "")
    log = "logs/nginx-error.log"  # or it would open the system's own first
    path = program("nginx", "nginx")
    return [path, "-p", f"{folder}/", "-e", log, "-c", "nginx.conf", "-g", settings]


def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    program("nginx", "nginx")
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        *apps, tls = release(folder, options.port)
        for port in apps:
            stack.enter_context(
                running([".venv/bin/python", "app.py", f"--port={port}"], folder, port)
            )
        front = stack.enter_context(running(nginx(folder), folder, options.port))
        print(f"Behind it: {apps}. With TLS: https://localhost:{tls}. Files: {folder}")
        print(f"Open http://localhost:{options.port}")
        front.wait()


if __name__ == "__main__":
    # As Ctrl-C: SIGTERM alone would leave nginx and both processes running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        main()
