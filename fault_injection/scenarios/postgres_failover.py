"""The primary of two PostgreSQL servers is killed under load, and the standby is promoted."""

import asyncio

from fault_injection.harness.context import Context, wait_until_async
from fault_injection.harness.failover import Failover
from fault_injection.harness.servers import PostgreSQL, Standby

WAITING = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
"""The connections of the primary whose commits wait for the standby."""


async def run(context: Context) -> None:
    """Freeze the standby for a while, then kill the primary."""
    primary = await PostgreSQL(context).start()
    standby = await Standby(context, primary).start()
    failover = Failover(context, standby.urls, standby.urls)
    await failover.start()
    await check_without_standby(context, failover, primary, standby)

    async def fail_over() -> None:
        await primary.kill()
        await standby.promote()

    await failover.inject("the primary killed", fail_over)
    await failover.add_process(standby.urls).start()  # also while one host is dead
    await failover.finish([standby.url])


async def check_without_standby(
    context: Context, failover: Failover, primary: PostgreSQL, standby: Standby
) -> None:
    """Check that no message is acknowledged without the standby, also if an operator cancels.

    Args:
        context: the context of the scenario.
        failover: the chat and its clients.
        primary: the server that waits for the standby.
        standby: it is frozen.
    """

    async def is_waiting() -> bool:
        return await primary.execute(f"SELECT 1 {WAITING}", "postgres") != []

    standby.freeze()
    await wait_until_async("a commit waits for the standby", is_waiting)
    await asyncio.sleep(1)  # earlier acknowledgements arrive
    acks = failover.pool.client_log.acks
    await primary.execute(f"SELECT pg_cancel_backend(pid) {WAITING}", "postgres")
    await asyncio.sleep(context.short_or_long(1.0, 20.0))
    context.expect_equal("acks without a standby", failover.pool.client_log.acks - acks, 0)
    await failover.inject("the standby is back", lambda: asyncio.to_thread(standby.thaw))
