"""The chat is killed under load, again and again."""

import asyncio
import signal

from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context
from fault_injection.harness.leaks import stop_and_check_leaks


async def run(context: Context) -> None:
    """Kill the chat, mostly when a message is acknowledged, and start it on the same file."""
    pool = ClientPool(context, rooms=4, members=5)
    [chat] = await pool.start_chats(1)
    pool.start_sending()
    kills = context.short_or_long(5, 50)
    for kill in range(kills):
        context.progress(f"kill {kill + 1} of {kills}, {len(pool.client_log.acked)} acknowledged")
        await pool.wait_for_acks(context.rng.randint(100, 400))
        if context.rng.random() < 0.2:
            await asyncio.sleep(context.rng.uniform(0, 0.02))
            chat.signal(signal.SIGKILL)
        else:  # an acknowledgement before its commit would be lost at this moment
            pool.client_log.on_next_ack = lambda: chat.signal(signal.SIGKILL)
        await chat.wait()
        await chat.start()
    await pool.stop_and_converge()
    context.expect_equal("PRAGMA integrity_check", pool.integrity(), "ok")
    pool.verify()
    context.figures["kills"] = kills
    closes = dict(pool.total("closes"))
    context.figures["broken connections"] = closes.get(None, 0)
    context.expect("no connection ends with a code", closes.keys() == {None}, closes)
    await stop_and_check_leaks(pool)
