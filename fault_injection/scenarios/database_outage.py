"""The database freezes, and dies, and comes back."""

import asyncio

from fault_injection.harness.client_pool import NO_LIMITS, ClientPool
from fault_injection.harness.context import Context, wait_until, wait_until_async
from fault_injection.harness.latency_probe import BaselineServer, probe_latency
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess
from fault_injection.harness.servers import DatabaseServer, MariaDB, PostgreSQL

MAX_DETECTION_S = 3.0
"""Seconds in which /readyz must report that the database does not answer."""
MAX_TURN_MS = 100
"""Milliseconds that a turn of the loop may take (see `LoopMonitor`)."""


async def run(context: Context) -> None:
    """With both kinds of server at the same time; most of it is waiting."""
    async with asyncio.TaskGroup() as group:
        for server in MariaDB(context), PostgreSQL(context):
            group.create_task(run_outage(context, server))


async def run_outage(context: Context, server: DatabaseServer) -> None:
    """Freeze the server, then kill it; between the two everything must be well again."""
    await server.start()
    bare = await BaselineServer(context).start()
    data = context.folder / f"data-{server.name}"
    pool = ClientPool(context, data, server.url, rooms=4, members=5)
    options = f"--data={data}", f"--database={server.url}", *NO_LIMITS
    chat = await ChatProcess(context, f"chat-{server.name}", *options).start()
    pool.connect_all([lambda: chat.url])
    pool.start_sending(every=0.02)
    down = context.short_or_long(3.0, 30.0)
    for way in "freeze", "kill":
        enough = len(pool.client_log.acked) + 100
        await wait_until("messages flow", lambda: len(pool.client_log.acked) >= enough)  # noqa: B023
        what = f"{server.name}, {way}"
        context.progress(f"{what} for {down:.0f} s, {len(pool.client_log.acked)} acknowledged")
        if way == "freeze":
            server.freeze()
        else:
            await server.kill()
        await observe_outage(context, pool, chat, bare, what, down)
        if way == "freeze":
            server.thaw()
        else:
            await server.start()
        await wait_until_async("ready again", lambda: is_status(pool, chat, "/readyz", 200))
    await pool.stop_and_converge()
    pool.verify()
    errors = pool.total("errors")
    context.figures[f"{server.name}: errors"] = dict(errors)
    context.expect_equal("other errors than 'unavailable'", set(errors) - {"unavailable"}, set())
    closes, refused = pool.total("closes"), pool.total("refused")
    context.figures[f"{server.name}: closed"] = dict(closes)
    context.figures[f"{server.name}: refused"] = dict(refused)
    context.figures[f"{server.name}: given up"] = sum(client.timeouts for client in pool.clients)
    context.expect("close codes", closes.keys() <= {1013}, dict(closes))
    # 599: a client gives up what it has heard nothing of for 10 seconds.
    context.expect("handshakes refused", refused.keys() <= {503, 599}, dict(refused))
    await stop_and_check_leaks(context, pool, chat)


async def observe_outage(
    context: Context,
    pool: ClientPool,
    chat: ChatProcess,
    bare: BaselineServer,
    what: str,
    down: float,
) -> None:
    """Check during an outage that the chat reports it and does not hang."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    await chat.read_monitor()  # from now on
    async with probe_latency(chat.port, bare.port) as (probe, plain):
        await wait_until_async(
            f"{what}: /readyz says 503",
            lambda: is_status(pool, chat, "/readyz", 503),
            MAX_DETECTION_S,
        )
        context.figures[f"{what}: 503 after s"] = loop.time() - begin
        acked = pool.client_log.acks
        await asyncio.sleep(down - (loop.time() - begin))
        context.expect_equal(f"{what}: acks without a database", pool.client_log.acks - acked, 0)
        still = await is_status(pool, chat, "/readyz", 503)
        context.expect(f"{what}: /readyz still says 503", still)
    held = (await chat.read_monitor())["held_ms"]
    context.figures[f"{what}: loop held up for ms"] = held
    context.expect(f"{what}: the loop is free", held < MAX_TURN_MS, f"it was held up for {held} ms")
    context.expect_equal(f"{what}: /healthz", probe.statuses, {200})
    text = f"{probe.longest:.0f}, of a bare server {plain.longest:.0f}"
    context.figures[f"{what}: longest /healthz ms"] = text
    # What waits for the database waits as long as it is away. What the machine takes from a server
    # with one thread, it takes more than once from one with six.
    context.expect(f"{what}: /healthz", probe.longest < down / 2 * 1000 + 2 * plain.longest, text)


async def is_status(pool: ClientPool, chat: ChatProcess, path: str, status: int) -> bool:
    """Return whether a path is answered with a status."""
    response = await pool.http.fetch(chat.url + path, raise_error=False, request_timeout=10)
    return bool(response.code == status)
