"""A large group without members is purged, and other users are not slowed down."""

import asyncio

import sqlalchemy as sa

from capstone_chat.storage.tables import conversations, events
from fault_injection.harness.bystander import Bystander
from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context, wait_until_async
from fault_injection.harness.leaks import stop_and_check_leaks

ROWS = 1000
"""Rows of one INSERT."""

FIRST_PURGE = 6.0
"""Mean seconds from the start to the first purge. The normal latency is measured before it."""


async def run(context: Context) -> None:
    """Measure the latency of acks before a purge and during it."""
    pool = ClientPool(context, rooms=2, members=2)
    dead = context.short_or_long(4_000, 100_000)
    await asyncio.to_thread(store_dead_group, pool, dead)
    # The first purge comes after half of the interval or more.
    chat = await pool.chat("chat", f"--purge-interval={2 * FIRST_PURGE}").start()
    bystander = Bystander(context)
    await bystander.start(chat.url, *pool.credentials[0])
    await bystander.measure_normal(3.0)

    async def purged() -> int:
        return await pool.metric(chat, 'chat_purged_rows_total{kind="events"}')

    async def has_begun() -> bool:
        return await purged() > 0

    async def has_ended() -> bool:
        context.progress(f"{await purged()} of {dead} rows")
        await asyncio.sleep(0.5)
        return await purged() >= dead

    await wait_until_async("the purge begins", has_begun, 60)
    begin = asyncio.get_running_loop().time()
    async with bystander.undisturbed(f"{dead} rows purged"):
        await wait_until_async("the purge ends", has_ended, 600)
    context.figures["seconds"] = asyncio.get_running_loop().time() - begin
    with pool.engine.connect() as connection:
        query = sa.select(sa.func.count()).where(events.c.conversation_id == pool.rooms + 1)
        context.expect_equal("events of the dead group", connection.scalar(query), 0)
    await bystander.kill()
    await stop_and_check_leaks(pool)


def store_dead_group(pool: ClientPool, count: int) -> None:
    """Insert a group that has a history and no members."""
    conv = pool.rooms + 1
    group = {"kind": "group", "title": "Dead", "title_key": "dead", "description": ""}
    row = {"conversation_id": conv, "type": "message", "user_id": 1, "at": 1}
    text = {"text": "Some words, as people write them. " * 4, "folded": "the same words " * 8}
    with pool.engine.begin() as connection:
        for each in conv, conv + 1:  # the newest group is not purged, see `purge`
            new = conversations.insert().values(id=each, **group, public=True, head=count)
            connection.execute(new.values(created_at=1))
        for first in range(1, count, ROWS):
            rows = [row | text | {"seq": seq} for seq in range(first, first + ROWS)]
            connection.execute(events.insert(), rows)
