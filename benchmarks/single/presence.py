"""Measure what the presence of users in Redis costs: a round of refreshes, and an opened page.

    python -m benchmarks.single.presence
    python -m benchmarks.single.presence --processes=10,100 --users=5000

A simulated process is the chat's own `RedisPresence` on a real Redis, without sockets: only the ids
of its users. All simulated processes share this Python process and its connections to Redis. In a
round each of them refreshes its users once, one process after the other. The CPU time of Redis is
that of its own process; that of a chat process is the CPU time of this one divided by the number of
processes. Both are proportional to the number of users, so fewer users are simulated where the
machine is too small, and the last two columns calculate with FULL users in each process.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from capstone_chat.realtime import presence
from capstone_chat.realtime.control import ControlMessage
from capstone_chat.realtime.presence import REFRESH_INTERVAL, RedisPresence
from capstone_chat.realtime.redis_broker import RedisBroker
from capstone_chat.realtime.topics import Topic
from fault_injection.harness.context import Context, MissingProgramError
from fault_injection.harness.servers import Redis

FULL = 5000
"""Users of a process, as SCALING.md plans with."""
MAX_USERS = 200_000
"""Maximum number of simulated users of all processes together."""
CONTACTS = 50
"""Contacts of a user who opens a page."""
ROUNDS = 3
PAGES = 300


class Silent:
    """A handler that ignores what other processes publish."""

    def deliver(self, topic: Topic, payload: bytes, *, volatile: bool) -> None:
        """Ignore an event."""

    def handle_control(self, topic: Topic, message: ControlMessage) -> None:
        """Ignore a control message."""


@dataclass(frozen=True)
class Cost:
    """Cost of the presence with a number of processes; times are CPU times in seconds.

    Args:
        processes: number of processes.
        users: number of users of each.
        process_round: a refresh round of one process.
        redis_round: a refresh round of all processes, in Redis.
        process_page: an opened page, in its process: written, and CONTACTS users asked for.
        redis_page: an opened page, in Redis.
        memory: bytes of Redis for each user.
    """

    processes: int
    users: int
    process_round: float
    redis_round: float
    process_page: float
    redis_page: float
    memory: float

    def row(self) -> str:
        """Return the row of the printed table."""
        scale = FULL / self.users
        share = self.redis_round * scale / REFRESH_INTERVAL
        return (
            f"| {self.processes:,} | {self.users:,} | {self.process_round * 1e3:.1f} ms"
            f" | {self.redis_round * 1e3:,.0f} ms | {self.process_page * 1e6:.0f} us"
            f" | {self.redis_page * 1e6:.0f} us | {self.memory:.0f}"
            f" | {self.process_round * scale * 1e3:.0f} ms | {share:.1%} |"
        )


HEADER = (
    "| processes | users in each | round: a process | round: Redis, for all | page: its process"
    f" | page: Redis | bytes a user | with {FULL:,} users: a process | Redis, of a core |"
)


async def measure(context: Context, processes: int, users: int) -> Cost:
    """Measure with a number of processes, and of users in each."""
    server = await Redis(context).start()
    redis = psutil.Process(server.pid)
    broker = RedisBroker(server.url, "x" * 40)
    await broker.start(Silent())
    context.stack.push_async_callback(broker.close)
    nodes = [RedisPresence(f"{n:016}", broker._run_scripts, 1) for n in range(processes)]
    empty = await _memory(broker)
    for number, node in enumerate(nodes):
        node.here.update(range(number * users, (number + 1) * users))
        await asyncio.gather(*map(node.write, node.here))
    memory = (await _memory(broker) - empty) / (processes * users)

    async def refresh_all() -> None:
        for node in nodes:
            await node.refresh()

    rng = random.Random(0)  # noqa: S311
    total = processes * users

    async def open_pages() -> None:
        for number in range(PAGES):
            mine = rng.choice(nodes)
            mine.here.add(total + number)
            await mine.write(total + number)
            await mine.online_among(rng.sample(range(2 * total), CONTACTS))

    mine, of_redis = await _cpu(redis, refresh_all, ROUNDS)
    page, of_redis_page = await _cpu(redis, open_pages, 1)
    return Cost(
        processes, users, mine / processes, of_redis, page / PAGES, of_redis_page / PAGES, memory
    )


async def _memory(broker: RedisBroker) -> float:
    (link,) = broker._links.values()
    return float((await link.client.info("memory"))["used_memory"])


async def _cpu(redis: psutil.Process, work: object, repeats: int) -> tuple[float, float]:
    """Return the CPU time of this process and of Redis for a piece of work, on average."""
    assert callable(work)
    mine, theirs = time.process_time(), sum(redis.cpu_times()[:2])
    for _ in range(repeats):
        await work()
    return (
        (time.process_time() - mine) / repeats,
        (sum(redis.cpu_times()[:2]) - theirs) / repeats,
    )


async def run(processes: list[int], users: int) -> None:
    """Measure with each number of processes, and print the table."""
    presence.EXPIRY = 3600  # also on a busy machine no entry expires between two rounds
    print(f"A round every {REFRESH_INTERVAL:.0f} s. CPU times.\n\n{HEADER}")
    print("|" + "---|" * HEADER.count(" | ") + "---|")
    with tempfile.TemporaryDirectory() as folder:
        for count in processes:
            context = Context("presence", 0, False, Path(folder), lambda _text: None)
            async with context.stack:
                cost = await measure(context, count, min(users, MAX_USERS // count))
            print(cost.row(), flush=True)


def main() -> int:
    """Run the benchmark; return 2 if there is no Redis."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--processes", default="10,100,1000", help="numbers of processes")
    parser.add_argument("--users", type=int, default=FULL, help="most users of a process")
    given = parser.parse_args()
    try:
        asyncio.run(run([int(count) for count in given.processes.split(",")], given.users))
    except MissingProgramError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
