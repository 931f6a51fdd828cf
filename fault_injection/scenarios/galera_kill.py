"""A node of a Galera cluster is killed under load and comes back, while several nodes write."""

from fault_injection.harness.context import Context
from fault_injection.harness.failover import Failover
from fault_injection.harness.galera import Galera


async def run(context: Context) -> None:
    """Kill the nodes in turn; the first one in the short form.

    One chat process uses the one writer of HAProxy, which is db1 at first; one uses db2; one uses
    any node. So at least two nodes write to the same conversations.
    """
    cluster = await Galera(context).start()
    _, second, _ = cluster.nodes
    failover = Failover(context, cluster.one_writer, second.url, cluster.all_nodes)
    await failover.start()
    first, *others = cluster.nodes
    for node in context.short_or_long([first], [first, others[1]] * 3):
        await failover.inject(f"{node.name} killed", node.kill)
        await node.start()
        await failover.pool.wait_for_each(2)
    conflicts = await failover.conflicts()
    context.figures["conflicts"] = conflicts
    context.expect("nodes that write to a conversation conflict", conflicts > 0)
    await failover.finish([node.url for node in cluster.nodes])
