"""The servers beside the chat, each started for one row, in its folder, on a free port."""

import asyncio
import os
import shutil
import socket
from collections.abc import Sequence

import sqlalchemy as sa

from benchmarks.faults.processes import Process
from benchmarks.faults.stage import Missing, Stage, free_port, until, until_async

PACKAGES = {
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "redis-server": "redis-server",
    "nginx": "nginx",
}
"""Programs, and the packages of Debian and Ubuntu that bring them."""


def program(name: str) -> str:
    """Return the path of a program.

    Raises:
        Missing: it is not there.
    """
    # Debian keeps servers in sbin, which is not on every user's PATH.
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise Missing(
            f"there is no program {name} on the PATH nor in /usr/sbin; on Debian and Ubuntu"
            f" 'apt-get install {PACKAGES[name]}' brings it"
        )
    return found


def answers(port: int) -> bool:
    """Tell whether something listens on a port of this machine."""
    with socket.socket() as connection:
        connection.settimeout(1)
        return connection.connect_ex(("127.0.0.1", port)) == 0


class MariaDB(Process):
    """A MariaDB server with an empty database."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, "mariadb")
        self.port = free_port()
        self.template = stage.shared / "mariadb"
        self.folder = stage.folder / "mariadb"
        self.url = f"mysql+pymysql://root@127.0.0.1:{self.port}/chat"
        # A server that runs as root must be told that this is meant.
        self.who = ["--user=root"] if os.geteuid() == 0 else []

    async def start(self) -> "MariaDB":
        """Start it, on what it held before if anything, and wait until it answers."""
        if not self.folder.exists():
            await self._install()
        await self.spawn(
            program("mariadbd"),
            *("--no-defaults", *self.who, f"--datadir={self.folder}", f"--port={self.port}"),
            *("--bind-address=127.0.0.1", f"--socket={self.folder / 's'}"),
            *(f"--pid-file={self.folder / 'pid'}", "--innodb-log-file-size=8M"),
        )
        await until_async("MariaDB answers", self._ready, 60)
        return self

    async def _install(self) -> None:
        """Make its tables once for all rows: that takes seconds, a copy does not."""
        if not self.template.exists():
            command = [
                *(program("mariadb-install-db"), "--no-defaults", *self.who),
                *(f"--datadir={self.template}", "--auth-root-authentication-method=normal"),
                *("--skip-test-db", "--innodb-log-file-size=8M"),
            ]
            await self.spawn(*command)
            await self.process.wait()
        await asyncio.to_thread(shutil.copytree, self.template, self.folder)

    async def _ready(self) -> bool:
        def ask() -> bool:
            engine = sa.create_engine(self.url.removesuffix("chat"))
            try:
                with engine.begin() as connection:
                    create = "CREATE DATABASE IF NOT EXISTS chat CHARACTER SET utf8mb4"
                    connection.execute(sa.text(create))
            except sa.exc.OperationalError:
                return False
            finally:
                engine.dispose()
            return True

        return await asyncio.to_thread(ask)


class Redis(Process):
    """A Redis server that keeps nothing."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, "redis")
        self.folder = stage.folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> "Redis":
        """Start it and wait until it listens."""
        await self.spawn(
            program("redis-server"),
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder),
            *("--save", "", "--appendonly", "no"),
        )
        await until("Redis listens", lambda: answers(self.port))
        return self


class Nginx(Process):
    """nginx in front of chat processes.

    Args:
        ports: where the chat listens.
    """

    def __init__(self, stage: Stage, ports: Sequence[int]) -> None:
        super().__init__(stage, "nginx")
        self.folder = stage.folder / "nginx"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        servers = "\n".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)
        self.conf = NGINX.format(port=self.port, servers=servers, user=_user())

    async def start(self) -> "Nginx":
        """Start it and wait until it listens."""
        self.folder.mkdir()
        (self.folder / "nginx.conf").write_text(self.conf)
        await self.spawn(
            *(program("nginx"), "-p", self.folder, "-c", self.folder / "nginx.conf"),
            *("-e", self.folder / "error.log"),
        )
        await until("nginx listens", lambda: answers(self.port))
        return self


def _user() -> str:
    return "user root;" if os.geteuid() == 0 else ""


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
    upstream chat {{
        least_conn;
        {servers}
    }}
    map $http_upgrade $connection_upgrade {{
        default upgrade;
        "" close;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://chat;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_read_timeout 120s;
            proxy_next_upstream error timeout;
        }}
    }}
}}
"""
