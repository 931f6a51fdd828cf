"""Two processes, of which one has a clock that is an hour off."""

import asyncio
import itertools
from typing import Any

from fault_injection.harness.client_pool import ClientPool, PoolClient
from fault_injection.harness.context import Context, wait_until
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess
from fault_injection.harness.servers import MariaDB, Redis
from tests.support.api_session import ApiSession

HOUR = 3600
"""Seconds by which the clock of one process is wrong."""


async def run(context: Context) -> None:
    """Send messages at both processes in turn; each message replies to the one before."""
    maria, redis = await asyncio.gather(MariaDB(context).start(), Redis(context).start())
    pool = ClientPool(context, maria.url, redis.url, rooms=1, members=6)
    correct, skewed = pool.chat("correct"), pool.chat("skewed", CLOCK_OFF=str(HOUR))
    await asyncio.gather(correct.start(), skewed.start())
    pool.connect_all()
    pool.start_sending(pool.clients[2:], every=0.2)  # the other clients send as well
    replies = await alternate_replies(context, pool)
    await pool.stop_and_converge()
    pool.verify()
    seqs = [pool.client_log.acked[cid][1] for cid in replies]
    context.expect_equal("answers come after what they answer", seqs, sorted(seqs))
    await check_history_order(context, pool, correct, replies)
    context.figures["answers"] = len(replies)
    context.expect_equal("broken connections", dict(pool.total("closes")), {})
    await stop_and_check_leaks(pool)


async def alternate_replies(context: Context, pool: ClientPool) -> list[str]:
    """Send replies from two clients in turn, one at each process; return the cids."""
    replies: list[str] = []
    for number in range(context.short_or_long(40, 1000)):
        context.progress(f"{number} answers")
        sender: PoolClient = pool.clients[number % 2]
        await sender.connected.wait()
        if replies:
            before = replies[-1]
            await wait_until("it was acknowledged", lambda: before in pool.client_log.acked)  # noqa: B023
            seq = pool.client_log.acked[before][1]
            await wait_until("it was seen", lambda: sender.last_seq >= seq)  # noqa: B023
        replies.append(await sender.send(f"answer {number} of {sender.name}"))
    return replies


async def check_history_order(
    context: Context, pool: ClientPool, chat: ChatProcess, replies: list[str]
) -> None:
    """Check that the history has the order of the replies, although its times jump."""
    cookie, conv = pool.credentials[0]
    session = ApiSession(chat.url, cookie, pool.http)
    events: list[dict[str, Any]] = []
    while True:
        after = events[-1]["seq"] if events else 0
        _, answer = await session.call("GET", f"/api/conversations/{conv}/events?after={after}")
        if not answer["events"]:
            break
        events += answer["events"]
    texts = [event["text"] for event in events if event["text"].startswith("answer ")]
    context.expect_equal("the history", texts, [pool.client_log.sent[cid][1] for cid in replies])
    times = [event["at"] for event in events if event["text"].startswith("answer ")]
    jumps = [abs(b - a) for a, b in itertools.pairwise(times)]
    context.expect("the clocks differ by an hour", min(jumps) > 0.9 * HOUR * 1000, jumps[:5])
    context.figures["clocks differ by s"] = min(jumps) / 1000
