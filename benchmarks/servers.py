"""The servers to compare: their commands, and the client's side of their protocols."""

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
"""Seconds until a server must listen; inserting a million messages before that takes long."""
SERVER_CORE, CLIENT_CORE = 0, 1


class ServerError(Exception):
    """A server does not start, or does not behave as a step requires; the message says why."""


@dataclass(frozen=True)
class Server:
    """A server to measure, and the client's side of its protocol (see `Target`)."""

    name: str
    title: str
    module: str
    package: str = ""
    """The distribution whose version the report shows."""
    path: str = "/%room"
    headers: tuple[str, ...] = ()
    join: str = ""
    ready: str = ""
    message: str = "%text"
    pings: tuple[tuple[str, str], ...] = ()
    own_ping: str = ""
    stores: bool = False
    """Whether the server has stored messages and users, which need a database and cookies."""

    lacks: str = "users, memberships, numbered messages, storage and resume"
    """The parts of the chat that this server does not have."""
    needs: tuple[str, ...] = ()
    """Node packages without which the server does not start."""
    oldest_node: int = 0
    """The oldest major version of Node that these packages support."""

    def unavailable_reason(self) -> str:
        """Return the reason why the server cannot run on this machine, or "" if it can."""
        if not self.module.endswith(".mjs"):
            return ""
        node = shutil.which("node")
        if node is None:
            return "no program node on the PATH"
        for package in self.needs:
            if not (NODE_MODULES / package).exists():
                return f"node_modules/{package} is not installed; benchmarks/README.md says how"
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        major = int(version.stdout.lstrip("v").partition(".")[0])
        if major < self.oldest_node:
            return f"it needs Node {self.oldest_node} or newer, and this is Node {major}"
        return ""

    def command(self) -> list[str]:
        """Return the command of the server, without options."""
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
        own_ping='{"type":"ping"}',
        stores=True,
        lacks="",
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
    Server("ws", "ws on Node", "benchmarks/peers/ws_rooms.mjs", needs=("ws",)),
    Server(
        "aiohttp-sqlite",
        "aiohttp with sqlite3",
        "benchmarks.peers.aiohttp_sqlite",
        "aiohttp",
        lacks="users, memberships, numbered messages and resume",
    ),
    Server(
        "ws-sqlite",
        "ws and better-sqlite3 on Node",
        "benchmarks/peers/ws_sqlite.mjs",
        lacks="users, memberships, numbered messages and resume",
        needs=("ws", "better-sqlite3"),
        oldest_node=22,
    ),
]
BASELINE = "tornado"
"""The name of the server that all ratios refer to."""
PLOTTED = {"chat", BASELINE, "aiohttp", "ws", "aiohttp-sqlite", "ws-sqlite"}
"""The names of the servers in the plots."""
QUICK = {"chat", BASELINE}


@contextlib.contextmanager
def run_server(server: Server, rooms: int, members: int, messages: int = 0) -> Iterator[Target]:
    """Run a server inside the block, on a separate core if there are two.

    Raises:
        ServerError: the server does not start.
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
                    own_ping=server.own_ping,
                    credentials=credentials.read_text("utf-8").splitlines()
                    if server.stores
                    else [],
                )
            finally:
                stop(process)


def wait_until_listening(process: subprocess.Popen[str], server: Server, errors: Path) -> int:
    """Wait until a server prints its address; return its port."""
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
    """Stop a server with SIGTERM; kill it after 10 seconds."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


def pin_to_core(pid: int, core: int) -> bool:
    """Restrict a process to one core; return False if this process may use only one itself."""
    cores = available_cores()
    if len(cores) < 2:
        return False
    os.sched_setaffinity(pid, {cores[core]})
    return True


def available_cores() -> list[int]:
    """Return the cores that this process may use; an empty list if the system does not tell."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def raise_open_file_limit() -> None:
    """Raise the limit of open files to the hard limit, for this process and its children."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
