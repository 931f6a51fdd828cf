"""Row 3: Redis is killed under load, and comes back."""

import asyncio
import time

from benchmarks.faults.client import Client
from benchmarks.faults.crowd import GENEROUS, Crowd
from benchmarks.faults.leaks import settle
from benchmarks.faults.processes import Chat
from benchmarks.faults.servers import MariaDB, Redis
from benchmarks.faults.stage import FaultError, Stage, until

PING = 2.0
"""Seconds between two pings of a client."""
ROUND_TRIP = 1.0
"""Seconds that a pong and what is fetched after it may take on a busy machine."""


async def play(stage: Stage) -> None:
    """Kill it, let everybody go on without it, and let it come back."""
    maria, redis = await asyncio.gather(MariaDB(stage).start(), Redis(stage).start())
    data = stage.folder / "data"
    crowd = Crowd(stage, data, maria.url, rooms=4, members=6, ping_every=PING)
    options = f"--data={data}", f"--database={maria.url}", f"--redis={redis.url}", *GENEROUS
    chats = [Chat(stage, f"chat{n}", *options) for n in range(2)]
    await asyncio.gather(*(chat.start() for chat in chats))
    crowd.arrive([lambda: chats[0].url, lambda: chats[1].url])
    for number in range(stage.pick(1, 10)):
        crowd.talk(every=0.2)
        await flow(crowd, 50)
        acked = len(crowd.ledger.acked)
        await redis.kill()
        await flow(crowd, 50)
        await asyncio.sleep(stage.pick(1, 5))
        stage.count("acked without Redis", len(crowd.ledger.acked) - acked)
        stage.say(f"{number + 1} times, {len(crowd.ledger.acked)} acknowledged")
        await together(stage, crowd, "without Redis")
        crowd.talk(every=0.2)
        await redis.start()
        await flow(crowd, 50)
        await together(stage, crowd, "when Redis is back")
        await live_again(crowd)
    crowd.judge()
    stage.figures["kills"] = number + 1
    stage.expect_equal("errors", dict(crowd.total("errors")), {})
    stage.expect_equal("broken connections", dict(crowd.total("closes")), {})
    await settle(stage, crowd, *chats)


async def flow(crowd: Crowd, more: int) -> None:
    """Wait until more messages are acknowledged."""
    enough = len(crowd.ledger.acked) + more
    await until("sends are acknowledged", lambda: len(crowd.ledger.acked) >= enough)


async def together(stage: Stage, crowd: Crowd, when: str) -> None:
    """See that, once nobody sends any more, everybody has seen all within one ping."""
    await crowd.hush()
    seconds = time.monotonic() - crowd.ledger.acked_at
    stage.figures[f"together {when}: s"] = round(max(seconds, 0), 2)
    stage.expect(f"together {when} within a ping", seconds < PING + ROUND_TRIP, f"{seconds:.1f} s")


async def live_again(crowd: Crowd) -> None:
    """See that messages come from one process to the other by themselves, not with a pong."""
    conv = crowd.clients[0].conv
    members = [client for client in crowd.clients if client.conv == conv]
    here, there = members[0], next(one for one in members if one.url != members[0].url)
    for speaker, hearer in (here, there), (there, here):
        for _ in range(10):
            cid = await speaker.send(f"{speaker.name} says {len(crowd.ledger.sent)}")
            await until("it is seen", lambda: has_seen(crowd, hearer, cid))  # noqa: B023
            if hearer.live_last >= crowd.ledger.acked[cid][1]:
                break
        else:
            raise FaultError("what one process publishes does not reach the other one")


def has_seen(crowd: Crowd, client: Client, cid: str) -> bool:
    return cid in crowd.ledger.acked and client.last >= crowd.ledger.acked[cid][1]
