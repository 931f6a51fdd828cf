"""The chat is killed under load, again and again."""

import asyncio
import signal

import sqlalchemy as sa

from fault_injection.harness.client_pool import NO_LIMITS, ClientPool
from fault_injection.harness.context import Context, wait_until
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess


async def run(context: Context) -> None:
    """Kill the chat, mostly when a message is acknowledged, and start it on the same file."""
    data = context.folder / "data"
    pool = ClientPool(context, data, rooms=4, members=5)
    chat = await ChatProcess(context, "chat", f"--data={data}", *NO_LIMITS).start()
    pool.connect_all([chat.url])
    pool.start_sending()
    kills = context.short_or_long(5, 50)
    for kill in range(kills):
        context.progress(f"kill {kill + 1} of {kills}, {len(pool.client_log.acked)} acknowledged")
        enough = len(pool.client_log.acked) + context.rng.randint(100, 400)
        await wait_until("messages flow", lambda: len(pool.client_log.acked) >= enough)  # noqa: B023
        if context.rng.random() < 0.2:
            await asyncio.sleep(context.rng.uniform(0, 0.02))
            chat.signal(signal.SIGKILL)
        else:  # an acknowledgement before its commit would be lost at this moment
            pool.client_log.on_next_ack = lambda: chat.signal(signal.SIGKILL)
        await chat.wait()
        await chat.start()
    await pool.stop_and_converge()
    with pool.engine.connect() as connection:
        check = connection.scalar(sa.text("PRAGMA integrity_check"))
    context.expect_equal("PRAGMA integrity_check", check, "ok")
    pool.verify()
    context.figures["kills"] = kills
    closes = dict(pool.total("closes"))
    context.figures["broken connections"] = closes.get(None, 0)
    context.expect("no connection ends with a code", closes.keys() == {None}, closes)
    await stop_and_check_leaks(context, pool, chat)
