"""Databases, Redis and nginx, each started for one scenario, in its folder, on a free port."""

import asyncio
import contextlib
import os
import shutil
import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import psutil  # type: ignore[import-untyped]
import redis.asyncio
import redis.crc
import redis.exceptions
import sqlalchemy as sa

from fault_injection.harness.context import (
    Context,
    FaultError,
    MissingProgramError,
    wait_until,
    wait_until_async,
)
from fault_injection.harness.processes import ROOT, Process

PACKAGES = {
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "redis-server": "redis-server",
    "nginx": "nginx",
    "haproxy": "haproxy",
    "wsrep_sst_rsync": "mariadb-server",
    "rsync": "rsync",
    "pg_basebackup": "postgresql-client",
    "initdb": "postgresql",
    "postgres": "postgresql",
}
"""The packages of Debian and Ubuntu, by the program that they contain."""

DEPLOY = ROOT / "capstone_chat" / "deploy"

POSTGRESQL = Path("/usr/lib/postgresql")
"""The folder of Debian that has a folder for each version of PostgreSQL."""


def find_program(name: str) -> str:
    """Return the path of a program.

    Raises:
        MissingProgramError: it is not installed.
    """
    # Debian keeps servers in sbin, which is not on every user's PATH, and PostgreSQL's programs
    # in a folder of their own.
    places = ["/usr/sbin", "/usr/local/sbin", *map(str, POSTGRESQL.glob("*/bin"))]
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *places]))
    if found is None:
        raise MissingProgramError(
            f"there is no program {name} on the PATH nor in /usr/sbin; on Debian and Ubuntu"
            f" 'apt-get install {PACKAGES[name]}' brings it"
        )
    return found


def read_deploy_file(name: str, values: Mapping[str, str]) -> str:
    """Return a file of `deploy/` with the values of this host: the new text for each old one."""
    text = (DEPLOY / name).read_text()
    for old, new in values.items():
        text = text.replace(old, new)
    return text


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class DatabaseServer(Process, ABC):
    """A database server with an empty database. It can be frozen.

    Args:
        context: the context of the scenario; the server is killed with it.
        name: name of the folder and the log file.
        account: driver and user, as in the URLs of SQLAlchemy.
    """

    def __init__(self, context: Context, name: str, account: str) -> None:
        super().__init__(context, name)
        self.context = context
        self.port = context.free_port()
        self.folder = context.folder / name
        self.server = f"{account}@127.0.0.1:{self.port}"
        self.url = f"{self.server}/chat"

    @abstractmethod
    async def start(self) -> Self:
        """Start the server, with its earlier data if any, and wait until it answers."""

    async def execute(self, statement: str, database: str = "") -> list[tuple[Any, ...]]:
        """Run a statement in a connection and a transaction of its own, and return its rows."""

        def run() -> list[tuple[Any, ...]]:
            engine = sa.create_engine(f"{self.server}/{database}", isolation_level="AUTOCOMMIT")
            try:
                with engine.connect() as connection:
                    result = connection.execute(sa.text(statement))
                    return [tuple(row) for row in result] if result.returns_rows else []
            finally:
                engine.dispose()

        return await asyncio.to_thread(run)

    def freeze(self) -> None:
        """Pause the server with SIGSTOP: it answers nothing, and its connections stay open."""
        self.signal(signal.SIGSTOP)  # first, so that it starts no more processes
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Continue the server after `freeze`."""
        self._signal_all(signal.SIGCONT)

    async def kill(self) -> None:
        """Kill the server with all its processes. Idempotent."""
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

    async def _wait_for_database(self, database: str, *make: str) -> None:
        """Wait until a database answers, and create the chat's database with these statements."""

        async def is_ready() -> bool:
            try:
                for statement in make or ("SELECT 1",):
                    await self.execute(statement, database)
            except sa.exc.OperationalError:
                return False
            return True

        await self.wait_until_ready(f"{self.name} answers", is_ready, 60)

    def _run_as(self, user: str) -> dict[str, Any]:
        """Return arguments of `spawn` that run the server as a user of its own, if this is root."""
        arguments: dict[str, Any] = {"cwd": self.folder}
        if os.geteuid() == 0:
            arguments |= {"user": user, "group": user, "extra_groups": []}
            for folder in self.context.shared, self.context.folder:  # it needs to reach its folder
                folder.chmod(0o711)
        return arguments

    @staticmethod
    def _make_folder(folder: Path, arguments: dict[str, Any]) -> None:
        """Create a folder for a server that runs with these arguments of `spawn`."""
        folder.mkdir(0o700)
        if "user" in arguments:
            shutil.chown(folder, arguments["user"], arguments["group"])


class MariaDB(DatabaseServer):
    """A MariaDB server.

    Args:
        context: the context of the scenario; the server is killed with it.
        options: further options of the server.
    """

    def __init__(self, context: Context, *options: str) -> None:
        super().__init__(context, "mariadb", "mysql+pymysql://root")
        self.options = options
        self.template = context.shared / "mariadb"
        # MariaDB refuses to run as root without this option.
        self.user_options = ["--user=root"] if os.geteuid() == 0 else []

    async def start(self) -> Self:
        """Start the server, with its earlier data if any, and wait until it answers."""
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
        await self._wait_for_database(
            "", "CREATE DATABASE IF NOT EXISTS chat CHARACTER SET utf8mb4"
        )
        return self

    async def _install(self) -> None:
        """Create the system tables once for all scenarios and copy them: creation takes seconds."""
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
    """A PostgreSQL server. Since it refuses to run as root, root starts it as user postgres.

    Args:
        context: the context of the scenario; the server is killed with it.
        name: name of the folder and the log file.
    """

    def __init__(self, context: Context, name: str = "postgresql") -> None:
        super().__init__(context, name, "postgresql+psycopg://chat")
        self.arguments = self._run_as("postgres")

    async def start(self) -> Self:
        """Start the server, with its earlier data if any, and wait until it answers."""
        new = not self.folder.exists()
        if new:
            self._make_folder(self.folder, self.arguments)
            await self.spawn(*self._install_command(), **self.arguments)
            await self.process.wait()
        await self.spawn(
            *(find_program("postgres"), "-D", self.folder / "data", "-p", str(self.port)),
            # Without fsync a commit survives a kill of the server, though not a power failure.
            *("-h", "127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"),
            **self.arguments,
        )
        await self._wait_for_database("postgres", *self.first_statements[: int(new)])
        return self

    first_statements: ClassVar[Sequence[str]] = ["CREATE DATABASE chat"]

    def _install_command(self) -> Sequence[str]:
        """Return the command that creates the folder `data`."""
        return (
            *(find_program("initdb"), "--no-sync", "--auth=trust", "--username=chat"),
            *("--encoding=UTF8", "--locale=C", f"--pgdata={self.folder / 'data'}"),
        )


class Standby(PostgreSQL):
    """A synchronous standby of another PostgreSQL server, which waits for it at each commit.

    Args:
        context: the context of the scenario; the server is killed with it.
        primary: the other server, which runs.
    """

    first_statements: ClassVar[Sequence[str]] = []

    def __init__(self, context: Context, primary: PostgreSQL) -> None:
        super().__init__(context, "standby")
        self.primary = primary
        # For SQLAlchemy each host of a URL is a parameter. The driver tries the standby first.
        hosts = "&".join(f"host=127.0.0.1:{server.port}" for server in (self, primary))
        self.urls = f"postgresql+psycopg://chat@/chat?{hosts}&target_session_attrs=read-write"

    async def start(self) -> Self:
        """Start the standby, and let the primary wait for it with the file of `deploy/`."""
        await super().start()
        with (self.primary.folder / "data" / "postgresql.conf").open("a") as file:
            file.write((DEPLOY / "postgresql" / "chat.conf").read_text())
        await self.primary.execute("SELECT pg_reload_conf()", "postgres")
        state = "SELECT sync_state FROM pg_stat_replication"

        async def is_synchronous() -> bool:
            return await self.primary.execute(state, "postgres") == [("sync",)]

        await wait_until_async("the standby is synchronous", is_synchronous)
        return self

    async def promote(self) -> None:
        """Make this server the primary."""
        await self.execute("SELECT pg_promote()", "postgres")

    def _install_command(self) -> Sequence[str]:
        return (
            *(find_program("pg_basebackup"), f"--pgdata={self.folder / 'data'}"),
            *("--dbname", f"host=127.0.0.1 port={self.primary.port} user=chat"),
            *("--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
        )


class Redis(Process):
    """A Redis server without persistence.

    Args:
        context: the context of the scenario; the server is killed with it.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context, "redis")
        self.folder = context.folder
        self.port = context.free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> "Redis":
        """Start the server and wait until it listens."""
        await self.spawn(
            find_program("redis-server"),
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder),
            *("--save", "", "--appendonly", "no"),
        )
        await self.wait_until_listening(self.port)
        return self


class RedisCluster:
    """A Redis Cluster on this machine: masters that share the slots, each with one replica or none.

    Args:
        context: the context of the scenario; the servers are killed with it.
        masters: number of masters.
        replicas: whether each master has a replica, which takes over when the master dies.
        options: further options of each server.
    """

    NODE_TIMEOUT_MS = 1000
    """Milliseconds after which a silent server counts as dead, and its replica takes over."""

    SLOTS = 16_384

    def __init__(
        self,
        context: Context,
        masters: int = 3,
        *,
        replicas: bool = True,
        options: Sequence[str] = (),
    ) -> None:
        self.masters = masters
        self.options = options
        count = masters * (1 + replicas)
        self.nodes = [Process(context, f"redis{number}") for number in range(count)]
        self.ports = [context.free_port() for _ in self.nodes]
        self.bus_ports = [context.free_port() for _ in self.nodes]
        self.clients: list[Any] = [redis.asyncio.Redis(port=port) for port in self.ports]
        self.folder = context.folder
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in self.ports)
        for client in self.clients:
            context.stack.push_async_callback(client.aclose)

    async def start(self) -> Self:
        """Start the servers, and wait until all of them serve all slots."""
        for number in range(len(self.nodes)):
            await self.start_node(number)
        for number, client in enumerate(self.clients):
            await client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
            if number < self.masters:
                first, end = (self.SLOTS * n // self.masters for n in (number, number + 1))
                await client.execute_command("CLUSTER ADDSLOTSRANGE", first, end - 1)
            if number:
                meet = "127.0.0.1", self.ports[0], self.bus_ports[0]
                await client.execute_command("CLUSTER MEET", *meet)
        for number in range(self.masters, len(self.nodes)):
            await self._replicate(self.clients[number], self.clients[number - self.masters])
        await wait_until_async("the cluster serves all slots", self._is_complete)
        return self

    async def start_node(self, number: int) -> None:
        """Start a server, with its earlier place in the cluster if it has one."""
        port, bus_port = self.ports[number], self.bus_ports[number]
        await self.nodes[number].spawn(
            find_program("redis-server"),
            *("--port", str(port), "--bind", "127.0.0.1", "--dir", self.folder),
            *("--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"),
            *("--cluster-enabled", "yes", "--cluster-port", str(bus_port)),
            *("--cluster-config-file", f"nodes{number}.conf"),
            *("--cluster-node-timeout", str(self.NODE_TIMEOUT_MS)),
            *self.options,
        )
        await self.nodes[number].wait_until_listening(port)

    async def kill_master(self, channel: str) -> int:
        """Kill the server that has a channel; return its number."""
        slot = redis.crc.key_slot(channel.encode())
        number = next(n for n in range(self.masters) if slot < self.SLOTS * (n + 1) // self.masters)
        await self.nodes[number].kill()
        return number

    async def kill_a_master(self) -> int:
        """Kill the first server that is a master now; return its number."""
        for number, client in enumerate(self.clients):
            if (await client.info("replication"))["role"] == "master":
                await self.nodes[number].kill()
                return number
        raise FaultError("the cluster has no master")

    async def wait_for_failover(self, dead: int) -> None:
        """Wait until the replica of a dead master has taken over, and the cluster is well."""

        async def has_taken_over() -> bool:
            partner = (dead + self.masters) % len(self.nodes)
            role = (await self.clients[partner].info("replication"))["role"]
            return bool(role == "master") and await self._is_complete()

        await wait_until_async("a replica has taken over", has_taken_over)

    async def restart(self, dead: int) -> None:
        """Start a server again that was killed, and wait until it is a replica of its partner."""
        await self.start_node(dead)
        await wait_until_async("the cluster is complete", self._is_complete)

    async def _replicate(self, replica: Any, master: Any) -> None:
        name = await master.execute_command("CLUSTER MYID")

        async def is_replica() -> bool:
            try:
                await replica.execute_command("CLUSTER REPLICATE", name)
            except redis.exceptions.ResponseError:  # it does not know the master yet
                return False
            return True

        await wait_until_async("a replica has found its master", is_replica)

    async def _is_complete(self) -> bool:
        for node, client in zip(self.nodes, self.clients, strict=True):
            if node.is_running:
                state = await client.execute_command("CLUSTER INFO")
                if state["cluster_state"] != "ok":
                    return False
        if len(self.nodes) == self.masters or not all(node.is_running for node in self.nodes):
            return True
        infos = [await client.info("replication") for client in self.clients]
        replicas = [info["master_link_status"] for info in infos if info["role"] == "slave"]
        return replicas == ["up"] * self.masters


class Nginx(Process):
    """nginx in front of chat processes, with the files of `capstone_chat/deploy/nginx`.

    Args:
        context: the context of the scenario; the server is stopped with it.
        ports: ports of the chat processes.
    """

    def __init__(self, context: Context, ports: Sequence[int]) -> None:
        super().__init__(context, "nginx")
        self.folder = context.folder / "nginx"
        self.port = context.free_port()
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
        """Replacements in these files for this host."""

    async def start(self) -> "Nginx":
        """Start the server and wait until it listens."""
        self.folder.mkdir()
        for name in "chat.conf", "http.conf", "routes.conf":
            (self.folder / name).write_text(read_deploy_file(f"nginx/{name}", self.values))
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(NGINX.format(user=user))
        await self.spawn(
            *(find_program("nginx"), "-p", self.folder, "-c", self.folder / "nginx.conf"),
            *("-e", self.folder / "error.log"),
        )
        await self.wait_until_listening(self.port)
        return self

    async def kill(self) -> None:
        """Stop nginx with SIGTERM: SIGKILL would end the main process and leave its worker."""
        if self.is_running:
            await self.stop()


# Stands for the main file of a distribution: includes the chat's files, and names the folders in
# which nginx writes.
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
