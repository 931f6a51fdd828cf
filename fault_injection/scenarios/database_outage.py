"""The database freezes, is killed, and is started again."""

import asyncio

from capstone_chat.storage.database import now_ms
from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context, wait_until_async
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess
from fault_injection.harness.servers import DatabaseServer, MariaDB, PostgreSQL

MAX_DETECTION_S = 3.0
"""Seconds within which /readyz must report that the database does not answer."""
MAX_TURN_MS = 100
"""Milliseconds that a turn of the loop may take (see `LoopMonitor`)."""


async def run(context: Context) -> None:
    """Run with both kinds of server at the same time, because most of the time is waiting."""
    async with asyncio.TaskGroup() as group:
        for server in MariaDB(context), PostgreSQL(context):
            group.create_task(run_outage(context, server))


async def run_outage(context: Context, server: DatabaseServer) -> None:
    """Freeze the server, then kill it; between the two the chat must recover."""
    await server.start()
    data = context.folder / f"data-{server.name}"
    pool = ClientPool(context, server.url, data=data, rooms=4, members=5)
    chat = await pool.chat(f"chat-{server.name}").start()
    pool.connect_all()
    pool.start_sending(every=0.02)
    down = context.short_or_long(3.0, 30.0)
    for way in "freeze", "kill":
        await pool.wait_for_acks(100)
        what = f"{server.name}, {way}"
        context.progress(f"{what} for {down:.0f} s, {len(pool.client_log.acked)} acknowledged")
        if way == "freeze":
            server.freeze()
        else:
            await server.kill()
        await observe_outage(context, pool, chat, what, down)
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
    # 599: a client gives up a handshake or a request after 10 seconds without an answer.
    context.expect("handshakes refused", refused.keys() <= {503, 599}, dict(refused))
    await stop_and_check_leaks(pool)


async def observe_outage(
    context: Context, pool: ClientPool, chat: ChatProcess, what: str, down: float
) -> None:
    """Check during an outage that the chat reports it and that its event loop is not blocked.

    Args:
        context: the context of the scenario.
        pool: the clients of the chat.
        chat: the chat.
        what: the outage in words.
        down: seconds that the outage lasts.
    """
    loop = asyncio.get_running_loop()
    begin = loop.time()
    await chat.read_monitor()  # the longest turn is measured from now on
    await wait_until_async(
        f"{what}: /readyz says 503",
        lambda: is_status(pool, chat, "/readyz", 503),
        MAX_DETECTION_S,
    )
    context.figures[f"{what}: 503 after s"] = loop.time() - begin
    without_database = now_ms()
    # A request that waits for the database waits until the outage ends.
    alive = await is_status(pool, chat, "/healthz", 200, within=down / 2)
    context.expect(f"{what}: /healthz answers", alive)
    await asyncio.sleep(down - (loop.time() - begin))
    # A client that waits for its history reads an older ack only now.
    stored_at = pool.client_log.stored_at
    context.expect(
        f"{what}: an ack without a database",
        stored_at <= without_database,
        f"stored {stored_at - without_database} ms after the outage was reported",
    )
    still = await is_status(pool, chat, "/readyz", 503)
    context.expect(f"{what}: /readyz still says 503", still)
    held = (await chat.read_monitor())["held_ms"]
    context.figures[f"{what}: loop held up for ms"] = held
    context.expect(f"{what}: the loop is free", held < MAX_TURN_MS, f"it was held up for {held} ms")


async def is_status(
    pool: ClientPool, chat: ChatProcess, path: str, status: int, within: float = 10
) -> bool:
    """Return whether a path is answered with a status.

    Args:
        pool: its HTTP client is used.
        chat: the chat.
        path: the path.
        status: the status that is expected.
        within: seconds to wait for the answer; a later one is none.
    """
    response = await pool.http.fetch(chat.url + path, raise_error=False, request_timeout=within)
    return bool(response.code == status)
