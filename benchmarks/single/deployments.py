"""Measure what a message costs in each deployment of the chat, from one process to many.

    python -m benchmarks.single.deployments
    python -m benchmarks.single.deployments --only=sqlite,mariadb

A thousand members in rooms of 10 are connected. In the deployments of four processes they connect
through nginx, so the members of a room are on different processes. A row shows 100 messages a
second, which come alone, or a fixed number of messages in flight in each room. The CPU times
are those of all processes of a program, for a message with its deliveries.

Everything runs on this machine, the load client too: the throughput is that of the whole machine.
The CPU times hold for a cluster of machines; a network between them adds to the latency only.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from benchmarks.load_client.client import LoadClient
from benchmarks.load_client.connections import Target
from benchmarks.serve import seed_database
from benchmarks.servers import SERVERS
from capstone_chat.options import Options
from fault_injection.harness.client_pool import NO_LIMITS
from fault_injection.harness.context import Context, MissingProgramError
from fault_injection.harness.galera import Galera
from fault_injection.harness.processes import ROOT, Process
from fault_injection.harness.servers import (
    MariaDB,
    Nginx,
    PostgreSQL,
    Redis,
    RedisCluster,
    Standby,
)

ROOMS, MEMBERS = 100, 10
PROCESSES = 4
RATE = 100.0
"""Messages per second for all rooms together, in the row of messages that come alone."""
WINDOWS = (1, 4, 16)
"""Messages in flight in each room."""


@dataclass
class Deployment:
    """The running programs of a deployment."""

    port: int
    programs: dict[str, list[Process]] = field(default_factory=dict)
    """The processes of each program, by the name of the column."""

    def cpu(self) -> dict[str, float]:
        """Return the CPU time that each program has used, with its child processes, in seconds."""
        return {
            name: sum(_cpu_time(process.pid) for process in processes)
            for name, processes in self.programs.items()
        }


def _cpu_time(pid: int) -> float:
    parent = psutil.Process(pid)
    every = [parent.cpu_times(), *(each.cpu_times() for each in parent.children(recursive=True))]
    return float(sum(times.user + times.system for times in every))


class Chat(Process):
    """A process of the chat as operators start it."""

    async def start(self, *options: str) -> int:
        """Start the chat, wait until it listens, and return the port."""
        await self.spawn(
            *(sys.executable, "-m", "capstone_chat", "--port=0", "--address=127.0.0.1"),
            *("--logging=warning", *NO_LIMITS, "--connections=20000", *options),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        return int((await self.read_line()).rstrip().rpartition(":")[2])


async def start_one(context: Context, folder: Path) -> Deployment:
    """Start one process on SQLite."""
    chat = Chat(context, "chat")
    return Deployment(await chat.start(f"--data={folder}"), {"chat": [chat]})


async def start_mariadb(context: Context) -> tuple[str, list[Process]]:
    """Start one MariaDB server; return its URL and its processes, as the next functions do."""
    server = await MariaDB(context).start()
    return server.url, [server]


async def start_postgresql(context: Context) -> tuple[str, list[Process]]:
    """Start one PostgreSQL server."""
    server = await PostgreSQL(context).start()
    return server.url, [server]


async def start_standby(context: Context) -> tuple[str, list[Process]]:
    """Start a PostgreSQL server with a synchronous standby."""
    primary = await PostgreSQL(context).start()
    standby = await Standby(context, primary).start()
    return standby.urls, [primary, standby]


async def start_galera(context: Context) -> tuple[str, list[Process]]:
    """Start three nodes of MariaDB Galera behind HAProxy, one of which writes."""
    galera = await Galera(context).start()
    return galera.one_writer, [*galera.nodes, galera.haproxy]


async def start_redis(context: Context) -> tuple[str, list[Process]]:
    """Start one Redis server."""
    server = await Redis(context).start()
    return server.url, [server]


async def start_redis_cluster(context: Context) -> tuple[str, list[Process]]:
    """Start a Redis Cluster of three masters."""
    cluster = await RedisCluster(context, replicas=False).start()
    return cluster.url, cluster.nodes


StartServers = Callable[[Context], Awaitable[tuple[str, list[Process]]]]
StartDeployment = Callable[[Context, Path], Awaitable[Deployment]]


def start_many(start_database: StartServers, start_broker: StartServers) -> StartDeployment:
    """Return the function that starts four processes behind nginx, a database and a broker."""

    async def start(context: Context, folder: Path) -> Deployment:
        url, servers = await start_database(context)
        broker_url, brokers = await start_broker(context)
        seed(folder, url)
        options = f"--data={folder}", f"--database={url}", f"--redis={broker_url}"
        chats = [Chat(context, f"chat{number}") for number in range(PROCESSES)]
        ports = [await chat.start(*options, "--xheaders=true") for chat in chats]
        nginx = await Nginx(context, ports).start()
        programs: dict[str, list[Process]] = {"chat": [*chats], "nginx": [nginx]}
        return Deployment(nginx.port, programs | {"database": servers, "Redis": brokers})

    return start


DEPLOYMENTS: dict[str, tuple[str, StartDeployment]] = {
    "sqlite": ("one process on SQLite", start_one),
    **{
        name: (f"four behind nginx, {title}", start_many(start_database, start_broker))
        for name, title, start_database, start_broker in (
            ("mariadb", "MariaDB, Redis", start_mariadb, start_redis),
            (
                "cluster",
                "MariaDB, three masters of a Redis Cluster",
                start_mariadb,
                start_redis_cluster,
            ),
            ("galera", "three nodes of Galera, Redis", start_galera, start_redis),
            ("postgresql", "PostgreSQL, Redis", start_postgresql, start_redis),
            ("standby", "PostgreSQL with a standby, Redis", start_standby, start_redis),
        )
    },
}


def seed(folder: Path, database: str = "") -> None:
    """Fill the database, and write the credentials of the members into the folder."""
    lines = seed_database(Options(data=str(folder), database=database), ROOMS, MEMBERS)
    (folder / "credentials.tsv").write_text("\n".join(lines), encoding="utf-8")


async def measure(name: str, seconds: float, shared: Path) -> None:
    """Start a deployment and print its rows."""
    title, start = DEPLOYMENTS[name]
    context = Context(name, 0, short=False, shared=shared, progress=lambda text: None)
    async with context.stack:
        folder = context.folder / "data"
        folder.mkdir()
        if name == "sqlite":
            seed(folder)
        deployment = await start(context, folder)
        credentials = (folder / "credentials.tsv").read_text(encoding="utf-8").splitlines()
        print(f"\n{title}: us of CPU for a message\n{'':>14}{'messages/s':>11}", end="")
        print(*(f"{program:>9}" for program in deployment.programs), f"{'p50 ms':>8}{'p99 ms':>8}")
        await asyncio.to_thread(print_rows, deployment, credentials, seconds)


def print_rows(deployment: Deployment, credentials: list[str], seconds: float) -> None:
    """Load a deployment and print a row for each load."""
    server = next(each for each in SERVERS if each.name == "chat")
    target = Target(
        deployment.port,
        deployment.programs["chat"][0].pid,
        path=server.path,
        headers=list(server.headers),
        ready=server.ready,
        message=server.message,
        credentials=credentials,
    )
    client = LoadClient(target, ROOMS * MEMBERS, ROOMS)
    client.open()
    for window in (0, *WINDOWS):
        before, sent = deployment.cpu(), client.messages
        if window:
            figures = client.saturate(seconds, [window], pause=0.002)["points"][0]
        else:
            figures = client.constant_rate(RATE, seconds)
        messages = client.messages - sent
        used = {name: (cpu - before[name]) / messages for name, cpu in deployment.cpu().items()}
        load = f"{window} in flight" if window else "alone"
        print(f"{load:>14}{figures['per_s'] / MEMBERS:11.0f}", end="")
        print(*(f"{cpu * 1e6:9.0f}" for cpu in used.values()), end="")
        print(f"{figures['p50_ms']:9.2f}{figures['p99_ms']:8.2f}")
        if figures["lost"] or figures["duplicated"] or figures["closed"]:
            wrong = {key: figures[key] for key in ("lost", "duplicated", "closed")}
            raise SystemExit(f"the deployment is not correct: {wrong}")
    client.connections.close()


def main() -> int:
    """Measure and print a table for each deployment."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    every = ",".join(DEPLOYMENTS)
    parser.add_argument("--only", default=every, help=f"deployments (default {every})")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each row (default 5)")
    given = parser.parse_args()
    names = given.only.split(",")
    if unknown := set(names) - set(DEPLOYMENTS):
        parser.error(f"no deployment {sorted(unknown)[0]!r}; there are {every}")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            try:
                asyncio.run(measure(name, given.seconds, Path(folder)))
            except MissingProgramError as error:
                print(f"\n{DEPLOYMENTS[name][0]}: not measured, {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
