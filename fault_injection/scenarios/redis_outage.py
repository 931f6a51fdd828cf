"""Redis is killed under load and started again."""

import asyncio
import time

from fault_injection.harness.client_pool import ClientPool, PoolClient
from fault_injection.harness.context import Context, FaultError, wait_until
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.servers import MariaDB, Redis

PING = 2.0
"""Seconds between two pings of a client."""
ROUND_TRIP = 1.0
"""Seconds that a pong and the requests after it may take on a busy machine."""


async def run(context: Context) -> None:
    """Kill Redis, send messages without it, and start it again."""
    maria, redis = await asyncio.gather(MariaDB(context).start(), Redis(context).start())
    pool = ClientPool(context, maria.url, redis.url, rooms=4, members=6, ping_interval=PING)
    await pool.start_chats(2)
    for number in range(context.short_or_long(1, 10)):
        pool.start_sending(every=0.2)
        await pool.wait_for_acks(50)
        acked = len(pool.client_log.acked)
        await redis.kill()
        await pool.wait_for_acks(50)
        await asyncio.sleep(context.short_or_long(1, 5))
        context.count("acked without Redis", len(pool.client_log.acked) - acked)
        context.progress(f"{number + 1} times, {len(pool.client_log.acked)} acknowledged")
        await check_convergence(context, pool, "without Redis")
        pool.start_sending(every=0.2)
        await redis.start()
        await pool.wait_for_acks(50)
        await check_convergence(context, pool, "when Redis is back")
        await check_live_delivery(pool)
    pool.verify()
    context.figures["kills"] = number + 1
    context.expect_equal("errors", dict(pool.total("errors")), {})
    context.expect_equal("broken connections", dict(pool.total("closes")), {})
    await stop_and_check_leaks(pool)


async def check_convergence(context: Context, pool: ClientPool, when: str) -> None:
    """Check that all clients have received all messages within one ping after the last one."""
    await pool.stop_and_converge()
    seconds = time.monotonic() - pool.client_log.acked_at
    context.figures[f"together {when}: s"] = round(max(seconds, 0), 2)
    context.expect(
        f"together {when} within a ping", seconds < PING + ROUND_TRIP, f"{seconds:.1f} s"
    )


async def check_live_delivery(pool: ClientPool) -> None:
    """Check that messages reach the other process live, and not only through a pong.

    Raises:
        FaultError: none of ten messages did.
    """
    conv = pool.clients[0].conv
    members = [client for client in pool.clients if client.conv == conv]
    here, there = (
        members[0],
        next(one for one in members if one.session.url != members[0].session.url),
    )
    for sender, receiver in (here, there), (there, here):
        for _ in range(10):
            cid = await sender.send(f"message {len(pool.client_log.sent)} of {sender.name}")
            await wait_until("it is seen", lambda: has_seen(pool, receiver, cid))  # noqa: B023
            if receiver.last_live_seq >= pool.client_log.acked[cid][1]:
                break
        else:
            raise FaultError("what one process publishes does not reach the other one")


def has_seen(pool: ClientPool, client: PoolClient, cid: str) -> bool:
    """Return whether a message is acknowledged and a client has received it."""
    return cid in pool.client_log.acked and client.last_seq >= pool.client_log.acked[cid][1]
