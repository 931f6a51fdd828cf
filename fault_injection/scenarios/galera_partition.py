"""The node of a Galera cluster that takes all writes is cut off from the others and comes back."""

from fault_injection.harness.context import Context, wait_until_async
from fault_injection.harness.failover import Failover
from fault_injection.harness.galera import Galera, GaleraNode

COMMITTED = "wsrep_last_committed"
"""The number of the newest commit that a node has applied."""


async def run(context: Context) -> None:
    """Cut off the writer: HAProxy must choose another one, and the chat must follow."""
    cluster = await Galera(context).start()
    failover = Failover(context, cluster.one_writer, cluster.one_writer)
    await failover.start()
    for node in context.short_or_long(cluster.nodes[:1], cluster.nodes * 2):
        other = next(one for one in cluster.nodes if one is not node)
        before = int(await node.status(COMMITTED))
        await failover.inject(f"{node.name} cut off", lambda: node.isolate(True))  # noqa: B023
        context.expect_equal("ready without a majority", await node.status("wsrep_ready"), "OFF")
        context.count("commits missed", int(await other.status(COMMITTED)) - before)
        await rejoin(node)
        await failover.pool.wait_for_each(2)
    await failover.finish([node.url for node in cluster.nodes])


async def rejoin(node: GaleraNode) -> None:
    """Connect a node again, and wait until it has received the commits that it missed."""
    await node.isolate(False)
    await wait_until_async(f"{node.name} has what it missed", node.is_synced, 60)
