"""The servers to compare: how each is started, and the client's side of its protocol."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load_client.connections import Target

ROOT = Path(__file__).resolve().parent.parent
NODE_MODULES = ROOT / "benchmarks" / "peers" / "node_modules"
START_TIMEOUT = 90.0
"""Seconds in which a server must listen: seeding a database with a million messages takes long."""
SERVER_CORE, CLIENT_CORE = 0, 1


class ServerError(Exception):
    """A server does not start, or not do what a step needs; the text says why."""


@dataclass(frozen=True)
class Server:
    """A server to measure, and the client's side of its protocol (see `Target`)."""

    name: str
    title: str
    module: str
    package: str = ""
    """The distribution whose version is named in the report."""
    path: str = "/%room"
    headers: tuple[str, ...] = ()
    join: str = ""
    ready: str = ""
    message: str = "%text"
    pings: tuple[tuple[str, str], ...] = ()
    stores: bool = False
    """Whether it stores messages, and has users, who must be seeded and log in with a cookie."""

    def unavailable_reason(self) -> str:
        """Return why it cannot run here, an empty text when it can."""
        if not self.module.endswith(".mjs"):
            return ""
        if shutil.which("node") is None:
            return "no program node on the PATH"
        if not (NODE_MODULES / "ws").is_dir():
            return (
                "the package ws is not installed: npm ci --ignore-scripts --prefix benchmarks/peers"
            )
        return ""

    def command(self) -> list[str]:
        """Return the command that starts it, without options."""
        if self.module.endswith(".mjs"):
            return [shutil.which("node") or "node", str(ROOT / self.module)]
        return [sys.executable, "-m", self.module]


SERVERS = [
    Server(
        "chat",
        "**the chat**",
        "benchmarks.serve",
        path="/ws",
        headers=("Cookie: %cookie",),
        ready='"type":"hello"',
        message='{"type":"send","cid":"%cid","conv":%conv,"text":"%text"}',
        stores=True,
    ),
    Server("tornado", "bare Tornado", "benchmarks.peers.tornado_bare", "tornado"),
    Server("demo", "Tornado's chat demo", "benchmarks.peers.tornado_demo", "tornado"),
    Server(
        "socketio",
        "python-socketio",
        "benchmarks.peers.socketio_rooms",
        "python-socketio",
        path="/socket.io/?EIO=4&transport=websocket&room=%room",
        join="40",
        ready='40{"sid"',
        message='42["message","%text"]',
        pings=(("2", "3"),),
    ),
    Server("starlette", "Starlette on uvicorn", "benchmarks.peers.starlette_rooms", "uvicorn"),
    Server("websockets", "websockets.broadcast", "benchmarks.peers.websockets_rooms", "websockets"),
    Server("aiohttp", "aiohttp", "benchmarks.peers.aiohttp_rooms", "aiohttp"),
    Server("ws", "ws on Node", "benchmarks/peers/ws_rooms.mjs"),
]
BASELINE = "tornado"
"""The server to which all ratios are."""
PLOTTED = {"chat", BASELINE, "starlette", "websockets", "aiohttp", "ws"}
"""The servers of the plots."""
QUICK = {"chat", BASELINE}


@contextlib.contextmanager
def run_server(server: Server, rooms: int, members: int, messages: int = 0) -> Iterator[Target]:
    """Run a server on a core of its own inside the block.

    Raises:
        ServerError: it does not start.
    """
    with tempfile.TemporaryDirectory() as folder:
        credentials = Path(folder) / "credentials.tsv"
        command = [*server.command(), "--port=0"]
        if server.stores:
            command += [f"--rooms={rooms}", f"--members={members}", f"--messages={messages}"]
            command += [f"--values={credentials}"]
        errors = Path(folder) / "errors"
        with errors.open("wb") as log:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, cwd=ROOT, text=True, bufsize=1
            )
        pin_to_core(process.pid, SERVER_CORE)
        with process:
            try:
                port = wait_until_listening(process, server, errors)
                yield Target(
                    port=port,
                    pid=process.pid,
                    path=server.path,
                    headers=list(server.headers),
                    join=server.join,
                    ready=server.ready,
                    message=server.message,
                    pings=dict(server.pings),
                    credentials=credentials.read_text("utf-8").splitlines()
                    if server.stores
                    else [],
                )
            finally:
                stop(process)


def wait_until_listening(process: subprocess.Popen[str], server: Server, errors: Path) -> int:
    """Wait for the line in which a server prints its address; return its port."""
    assert process.stdout is not None
    watchdog = threading.Timer(START_TIMEOUT, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            if line.startswith("Open http://"):
                return int(line.rpartition(":")[2])
    finally:
        watchdog.cancel()
    log = errors.read_text("utf-8", errors="replace").strip() or "it has logged nothing"
    raise ServerError(f"{server.name} does not start: {log[-400:]}")


def stop(process: subprocess.Popen[str]) -> None:
    """Stop a server; kill it if it does not end in time."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


def pin_to_core(pid: int, core: int) -> bool:
    """Keep a new process and its threads on one core; return False where that is impossible."""
    cores = available_cores()
    if len(cores) < 2:
        return False
    os.sched_setaffinity(pid, {cores[core]})
    return True


def available_cores() -> list[int]:
    """Return the cores that this process may use, none where the system does not list them."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def raise_open_file_limit() -> None:
    """Allow this process and its children as many open files as the system permits this user."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
