"""The processes behind nginx are restarted one after the other, under load."""

import asyncio
from collections import Counter

from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context, wait_until, wait_until_async
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.servers import MariaDB, Nginx, Redis
from fault_injection.scenarios.database_outage import is_status
from tests.support.api_session import ApiSession


async def run(context: Context) -> None:
    """Restart each process in turn while clients send messages through nginx."""
    maria, redis = await asyncio.gather(MariaDB(context).start(), Redis(context).start())
    pool = ClientPool(context, maria.url, redis.url, rooms=4, members=6)
    chats = [await pool.chat(f"chat{n}", "--xheaders=true").start() for n in range(2)]
    nginx = await Nginx(context, [chat.port for chat in chats]).start()
    pool.connect_all(nginx.url)
    pool.start_sending(every=0.2)
    failed: Counter[int] = Counter()
    reader = asyncio.ensure_future(poll_page(pool, nginx, failed))
    context.stack.callback(reader.cancel)
    rounds = context.short_or_long(1, 10)
    expected = 0
    for number in range(rounds * len(chats)):
        chat = chats[number % len(chats)]
        await pool.wait_for_acks(50)
        await wait_until("all are connected", lambda: all(c.synced.is_set() for c in pool.clients))
        expected += await pool.metric(chat, "chat_sockets")
        context.progress(f"{number + 1} restarts, {len(pool.client_log.acked)} acknowledged")
        context.expect_equal("exit code", await chat.stop(), 0)
        await chat.start()
        await wait_until_async("ready", lambda: is_status(pool, chat, "/readyz", 200))  # noqa: B023
    await pool.stop_and_converge()
    pool.verify()
    reader.cancel()
    reads = await asyncio.gather(reader, return_exceptions=True)
    closes = dict(pool.total("closes"))
    context.figures |= {
        "restarts": rounds * len(chats),
        "closed with 1001": closes.get(1001, 0),
        "errors": dict(pool.total("errors")),
        "handshakes and fetches tried again": pool.total("refused").total(),
    }
    context.expect_equal(
        "all who were on a process that stopped saw 1001", closes, {1001: expected}
    )
    context.expect("pages are served all the while", isinstance(reads[0], BaseException), reads)
    # A request can arrive just when its process stops.
    context.figures["pages asked for again"] = failed.total()
    await stop_and_check_leaks(pool)


async def poll_page(pool: ClientPool, nginx: Nginx, failed: Counter[int]) -> int:
    """Request a page repeatedly; return the status when two requests in a row fail."""
    session = ApiSession(nginx.url, pool.credentials[0][0], pool.http)
    before = 200
    while True:
        status = (await session.fetch("/api/state")).code
        if status != 200:
            failed[status] += 1
            if before != 200:
                return status
        before = status
        await asyncio.sleep(0.02)
