"""A Galera cluster of three MariaDB nodes behind HAProxy, with the files of `deploy/`."""

import asyncio
import contextlib
import os
import shutil
from pathlib import Path
from typing import Any, Self

import pymysql

from course.ports import is_listening
from fault_injection.harness.context import Context
from fault_injection.harness.processes import Process
from fault_injection.harness.servers import (
    DatabaseServer,
    find_program,
    read_deploy_file,
)

TRANSFER_TIMEOUT = 60
"""Seconds in which a node must have joined the cluster, with a state transfer."""

NODES = (1, 2, 3)

UNSYNCED = ("--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync")
"""Options that leave writes to the operating system. They survive a kill of the server, though not
a power failure, and the scenarios take half of the time."""


class GaleraNode(DatabaseServer):
    """A node of a cluster. Since rsync's server gives up root, root starts it as user mysql.

    Args:
        context: the context of the scenario; the node is killed with it.
        number: number of the node, from 1.
        group: the ports on which the nodes talk to each other.
    """

    def __init__(self, context: Context, number: int, group: list[int]) -> None:
        super().__init__(context, f"db{number}", "mysql+pymysql://root")
        self.arguments = self._run_as("mysql")
        self.transfer_port = context.free_port()
        options = (
            *("gcache.size=16M", f"gmcast.listen_addr=tcp://127.0.0.1:{group[number - 1]}"),
            f"ist.recv_addr=127.0.0.1:{context.free_port()}",
        )
        addresses = ",".join(f"127.0.0.1:{port}" for port in group)
        self.values = {
            "10.0.0.1,10.0.0.2,10.0.0.3": addresses,
            "10.0.0.1": "127.0.0.1",
            "= db1": f"= db{number}",
            "gcache.size=1G": ";".join(options),
        }
        """Replacements in the file of `deploy/` for this host."""

    async def start(self, *options: str) -> Self:
        """Start the node, and wait until it has the state of the cluster.

        Args:
            options: further options; `--wsrep-new-cluster` for the first node.
        """
        if not self.folder.exists():
            self._make_folder(self.folder, self.arguments)
        if options:
            await self._install()
        file = self.folder.with_suffix(".cnf")
        file.write_text(read_deploy_file("galera/chat.cnf", self.values))
        await self.spawn(
            *(find_program("mariadbd"), f"--defaults-file={file}", f"--datadir={self.folder}"),
            *(f"--port={self.port}", f"--socket={self.folder / 's'}"),
            *(f"--pid-file={self.folder / 'pid'}", "--innodb-log-file-size=8M", *UNSYNCED),
            *(f"--wsrep-sst-receive-address=127.0.0.1:{self.transfer_port}", *options),
            **self.arguments,
        )
        await self.wait_until_ready(f"{self.name} has joined", self.is_synced, TRANSFER_TIMEOUT)
        return self

    async def is_synced(self) -> bool:
        """Return whether the node has applied what the cluster has committed."""
        return await self.status("wsrep_local_state_comment") == "Synced"

    async def execute(self, statement: str, database: str = "") -> list[tuple[Any, ...]]:
        """Run a statement on this node, also while it is cut off, and return its rows."""

        def run() -> list[tuple[Any, ...]]:
            # Without the majority a read would wait for it. SQLAlchemy reads when it connects.
            options = {"init_command": "SET SESSION wsrep_sync_wait = 0", "autocommit": True}
            address = {"host": "127.0.0.1", "port": self.port, "user": "root"}
            with contextlib.closing(pymysql.connect(**address, **options)) as connection:
                cursor = connection.cursor()
                cursor.execute(statement)
                return list(cursor.fetchall())

        return await asyncio.to_thread(run)

    async def status(self, name: str) -> str:
        """Return a status variable of the node; an empty string if the node does not answer."""
        if not is_listening(self.port):
            return ""
        try:
            return str((await self.execute(f"SHOW STATUS LIKE '{name}'"))[0][1])
        except pymysql.MySQLError:
            return ""

    async def isolate(self, isolated: bool) -> None:
        """Cut the node off from the other nodes, as a broken network does, or end that."""
        option = f"gmcast.isolate={int(isolated)}"
        await self.execute(f"SET GLOBAL wsrep_provider_options = '{option}'")

    async def _install(self) -> None:
        """Create the system tables once for all scenarios and copy them: creation takes seconds."""
        template = self.context.shared / "galera"
        if not template.exists():
            self._make_folder(template, self.arguments)
            await self.spawn(
                *(find_program("mariadb-install-db"), "--no-defaults", "--skip-test-db"),
                *(f"--datadir={template}", "--auth-root-authentication-method=normal"),
                "--innodb-log-file-size=8M",
                **(self.arguments | {"cwd": template}),
            )
            await self.process.wait()
        await asyncio.to_thread(self._copy, template)

    def _copy(self, template: Path) -> None:
        shutil.copytree(template, self.folder, dirs_exist_ok=True)
        if "user" in self.arguments:
            for path in self.folder.rglob("*"):
                shutil.chown(path, self.arguments["user"], self.arguments["group"])


class HAProxy(Process):
    """HAProxy in front of the nodes of a cluster.

    Args:
        context: the context of the scenario; the process is killed with it.
        nodes: the three nodes.
    """

    def __init__(self, context: Context, nodes: list[GaleraNode]) -> None:
        super().__init__(context, "haproxy")
        self.file = context.folder / "haproxy.cfg"
        self.one_writer, self.all_nodes = context.free_port(), context.free_port()
        self.values = {
            "127.0.0.1:3306": f"127.0.0.1:{self.one_writer}",
            "127.0.0.1:3307": f"127.0.0.1:{self.all_nodes}",
            **{f"10.0.0.{n}:3306": f"127.0.0.1:{nodes[n - 1].port}" for n in NODES},
        }
        """Replacements in the file of `deploy/` for this host."""
        if os.geteuid() != 0:  # only root can become another user
            self.values |= {"    user haproxy\n": "", "    group haproxy\n": ""}

    async def start(self) -> Self:
        """Start HAProxy and wait until it listens."""
        self.file.write_text(read_deploy_file("haproxy/haproxy.cfg", self.values))
        await self.spawn(find_program("haproxy"), "-db", "-f", self.file)
        await self.wait_until_listening(self.all_nodes)
        return self


class Galera:
    """Three nodes and HAProxy.

    Args:
        context: the context of the scenario; all of them are killed with it.
    """

    def __init__(self, context: Context) -> None:
        group = [context.free_port() for _ in NODES]
        self.nodes = [GaleraNode(context, number, group) for number in NODES]
        self.haproxy = HAProxy(context, self.nodes)
        account = "mysql+pymysql://root@127.0.0.1"
        self.one_writer = f"{account}:{self.haproxy.one_writer}/chat"
        """The URL at which one node takes everything."""
        self.all_nodes = f"{account}:{self.haproxy.all_nodes}/chat"
        """The URL at which all nodes read and write."""

    async def start(self) -> Self:
        """Start everything, and create the chat's database."""
        first, *others = self.nodes
        await first.start("--wsrep-new-cluster")
        await first.execute("CREATE DATABASE chat CHARACTER SET utf8mb4")
        await first.execute("CREATE USER haproxy@'127.0.0.1'")
        await asyncio.gather(*(node.start() for node in others))
        await self.haproxy.start()
        return self
