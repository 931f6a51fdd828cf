"""A master of a Redis Cluster is killed under load, and its replica takes over."""

import asyncio

from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.servers import MariaDB, RedisCluster
from fault_injection.scenarios.redis_outage import PING, check_convergence, check_live_delivery


async def run(context: Context) -> None:
    """Kill a master, wait for its replica, and start the dead server again; once or often."""
    maria, cluster = await asyncio.gather(MariaDB(context).start(), RedisCluster(context).start())
    pool = ClientPool(context, maria.url, cluster.url, rooms=6, members=4, ping_interval=PING)
    await pool.start_chats(2)
    kills = context.short_or_long(1, 10)
    for number in range(kills):
        context.progress(f"kill {number + 1} of {kills}, {len(pool.client_log.acked)} acked")
        pool.start_sending(every=0.2)
        await pool.wait_for_acks(50)
        dead = await cluster.kill_a_master()
        await pool.wait_for_acks(50)
        await check_convergence(context, pool, "while a master is dead")
        pool.start_sending(every=0.2)
        await cluster.wait_for_failover(dead)
        await pool.wait_for_acks(50)
        await check_convergence(context, pool, "when a replica has taken over")
        await check_live_delivery(pool)
        await cluster.restart(dead)
    pool.verify()
    context.figures["kills"] = kills
    context.expect_equal("errors", dict(pool.total("errors")), {})
    context.expect_equal("broken connections", dict(pool.total("closes")), {})
    await stop_and_check_leaks(pool)
