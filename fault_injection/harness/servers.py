"""The servers beside the chat, each started for one scenario, in its folder, on a free port."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import psutil  # type: ignore[import-untyped]
import sqlalchemy as sa

from fault_injection.harness.context import (
    Context,
    MissingProgram,
    free_port,
    wait_until,
    wait_until_async,
)
from fault_injection.harness.processes import ROOT, Process

PACKAGES = {
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "redis-server": "redis-server",
    "nginx": "nginx",
    "initdb": "postgresql",
    "postgres": "postgresql",
}
"""Programs, and the packages of Debian and Ubuntu that bring them."""

POSTGRESQL = Path("/usr/lib/postgresql")
"""Where Debian has PostgreSQL, a folder for each version."""


def find_program(name: str) -> str:
    """Return the path of a program.

    Raises:
        MissingProgram: it is not there.
    """
    # Debian keeps servers in sbin, which is not on every user's PATH, and PostgreSQL's elsewhere.
    places = ["/usr/sbin", "/usr/local/sbin", *map(str, POSTGRESQL.glob("*/bin"))]
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *places]))
    if found is None:
        raise MissingProgram(
            f"there is no program {name} on the PATH nor in /usr/sbin; on Debian and Ubuntu"
            f" 'apt-get install {PACKAGES[name]}' brings it"
        )
    return found


def is_listening(port: int) -> bool:
    """Return whether a process listens on a port of this machine."""
    with socket.socket() as connection:
        connection.settimeout(1)
        return connection.connect_ex(("127.0.0.1", port)) == 0


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class DatabaseServer(Process, ABC):
    """A database server with an empty database. It can freeze.

    Args:
        account: driver and user, as in the URLs of SQLAlchemy.
    """

    def __init__(self, context: Context, name: str, account: str) -> None:
        super().__init__(context, name)
        self.port = free_port()
        self.folder = context.folder / name
        self.server = f"{account}@127.0.0.1:{self.port}"
        self.url = f"{self.server}/chat"

    @abstractmethod
    async def start(self) -> Self:
        """Start it, on what it held before if anything, and wait until it answers."""

    def freeze(self) -> None:
        """Let it answer nothing any more; its connections stay."""
        self.signal(signal.SIGSTOP)  # first, so that no more processes come
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was."""
        self._signal_all(signal.SIGCONT)

    async def kill(self) -> None:
        """End it at once, with all its processes."""
        if self.is_running:
            self.freeze()
            killed = self._signal_all(signal.SIGKILL)
            await self.process.wait()
            await wait_until(f"{self.name} is dead", lambda: not any(map(_is_alive, killed)))

    def _signal_all(self, number: signal.Signals) -> list[psutil.Process]:
        server = psutil.Process(self.pid)
        processes = [*server.children(recursive=True), server]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        return processes

    async def _wait_until_ready(self, database: str, *make: str) -> None:
        """Wait until it answers in a database; then make the chat's own with these statements."""

        def is_ready() -> bool:
            engine = sa.create_engine(f"{self.server}/{database}", isolation_level="AUTOCOMMIT")
            try:
                with engine.connect() as connection:
                    for statement in make:
                        connection.execute(sa.text(statement))
            except sa.exc.OperationalError:
                return False
            finally:
                engine.dispose()
            return True

        await wait_until_async(f"{self.name} answers", lambda: asyncio.to_thread(is_ready), 60)


class MariaDB(DatabaseServer):
    """A MariaDB server.

    Args:
        options: of the server, beside those that it needs.
    """

    def __init__(self, context: Context, *options: str) -> None:
        super().__init__(context, "mariadb", "mysql+pymysql://root")
        self.options = options
        self.template = context.shared / "mariadb"
        # A server that runs as root must be told that this is meant.
        self.user_options = ["--user=root"] if os.geteuid() == 0 else []

    async def start(self) -> Self:
        """Start it, on what it held before if anything, and wait until it answers."""
        if not self.folder.exists():
            await self._install()
        await self.spawn(
            find_program("mariadbd"),
            *(
                "--no-defaults",
                *self.user_options,
                f"--datadir={self.folder}",
                f"--port={self.port}",
            ),
            *("--bind-address=127.0.0.1", f"--socket={self.folder / 's'}"),
            *(f"--pid-file={self.folder / 'pid'}", "--innodb-log-file-size=8M", *self.options),
        )
        await self._wait_until_ready("", "CREATE DATABASE IF NOT EXISTS chat CHARACTER SET utf8mb4")
        return self

    async def _install(self) -> None:
        """Make its tables once for all scenarios: that takes seconds, a copy does not."""
        if not self.template.exists():
            command = [
                *(find_program("mariadb-install-db"), "--no-defaults", *self.user_options),
                *(f"--datadir={self.template}", "--auth-root-authentication-method=normal"),
                *("--skip-test-db", "--innodb-log-file-size=8M"),
            ]
            await self.spawn(*command)
            await self.process.wait()
        await asyncio.to_thread(shutil.copytree, self.template, self.folder)


class PostgreSQL(DatabaseServer):
    """A PostgreSQL server. It refuses to run as root, and then runs as its package's own user."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "postgresql", "postgresql+psycopg://chat")
        self.user_arguments: dict[str, Any] = {"cwd": self.folder}
        if os.geteuid() == 0:
            self.user_arguments |= {"user": "postgres", "group": "postgres", "extra_groups": []}
            for folder in context.shared, context.folder:  # it must get to its own
                folder.chmod(0o711)

    async def start(self) -> Self:
        """Start it, on what it held before if anything, and wait until it answers."""
        new = not self.folder.exists()
        if new:
            self.folder.mkdir(0o700)
            if "user" in self.user_arguments:
                shutil.chown(self.folder, self.user_arguments["user"], self.user_arguments["group"])
            await self.spawn(
                *(find_program("initdb"), "--no-sync", "--auth=trust", "--username=chat"),
                *("--encoding=UTF8", "--locale=C", f"--pgdata={self.folder / 'data'}"),
                **self.user_arguments,
            )
            await self.process.wait()
        await self.spawn(
            *(find_program("postgres"), "-D", self.folder / "data", "-p", str(self.port)),
            *("-h", "127.0.0.1", "-c", "unix_socket_directories="),
            **self.user_arguments,
        )
        await self._wait_until_ready("postgres", *(["CREATE DATABASE chat"] if new else []))
        return self


class Redis(Process):
    """A Redis server that keeps nothing."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "redis")
        self.folder = context.folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> "Redis":
        """Start it and wait until it listens."""
        await self.spawn(
            find_program("redis-server"),
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder),
            *("--save", "", "--appendonly", "no"),
        )
        await wait_until("Redis listens", lambda: is_listening(self.port))
        return self


class Nginx(Process):
    """nginx in front of chat processes, as the files in `capstone_chat/deploy/nginx` set it up.

    Args:
        ports: where the chat listens.
    """

    def __init__(self, context: Context, ports: Sequence[int]) -> None:
        super().__init__(context, "nginx")
        self.folder = context.folder / "nginx"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        servers = "\n".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)
        self.values = {
            "server 127.0.0.1:8001 max_fails=0;": servers,
            "server 127.0.0.1:8002 max_fails=0;": "",
            "listen 80;": f"listen 127.0.0.1:{self.port};",
            "listen [::]:80;": "",
            "chat.example.org": "127.0.0.1",
            "/etc/nginx/snippets/chat.conf": f"{self.folder}/routes.conf",
            "/var/log/nginx/": f"{self.folder}/",
            "/srv/chat": str(ROOT),
        }
        """What differs from the host that the files are made for."""

    async def start(self) -> "Nginx":
        """Start it and wait until it listens."""
        self.folder.mkdir()
        for name in "chat.conf", "http.conf", "routes.conf":
            text = (DEPLOY / name).read_text()
            for old, new in self.values.items():
                text = text.replace(old, new)
            (self.folder / name).write_text(text)
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(NGINX.format(user=user))
        await self.spawn(
            *(find_program("nginx"), "-p", self.folder, "-c", self.folder / "nginx.conf"),
            *("-e", self.folder / "error.log"),
        )
        await wait_until("nginx listens", lambda: is_listening(self.port))
        return self

    async def kill(self) -> None:
        """Stop it: a main process that is killed leaves its worker running."""
        if self.is_running:
            await self.stop()


DEPLOY = ROOT / "capstone_chat" / "deploy" / "nginx"
# What a distribution's own main file does: include ours, and say where nginx may write.
NGINX = """{user}
daemon off;
pid nginx.pid;
worker_processes 1;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include chat.conf;
    include http.conf;
}}
"""
