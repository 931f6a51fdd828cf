"""Two processes, and the clock of one is an hour off."""

import asyncio
import itertools
from typing import Any

from fault_injection.harness.api_session import ApiSession
from fault_injection.harness.client_pool import NO_LIMITS, ClientPool
from fault_injection.harness.context import Context, wait_until
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess
from fault_injection.harness.resuming_client import Client
from fault_injection.harness.servers import MariaDB, Redis

HOUR = 3600


async def run(context: Context) -> None:
    """Send messages from members at both processes in turn; each one replies to the one before."""
    maria, redis = await asyncio.gather(MariaDB(context).start(), Redis(context).start())
    data = context.folder / "data"
    pool = ClientPool(context, data, maria.url, rooms=1, members=6)
    options = f"--data={data}", f"--database={maria.url}", f"--redis={redis.url}", *NO_LIMITS
    right = ChatProcess(context, "right", *options)
    wrong = ChatProcess(context, "wrong", *options, clock_off=HOUR)
    await asyncio.gather(right.start(), wrong.start())
    pool.connect_all([lambda: right.url, lambda: wrong.url])
    pool.talk(pool.clients[2:], every=0.2)  # others talk as well
    talk = await alternate_replies(context, pool)
    await pool.stop_sending()
    pool.judge()
    seqs = [pool.client_log.acked[cid][1] for cid in talk]
    context.expect_equal("answers come after what they answer", seqs, sorted(seqs))
    await check_history_order(context, pool, right, talk)
    context.figures["answers"] = len(talk)
    context.expect_equal("broken connections", dict(pool.total("closes")), {})
    await stop_and_check_leaks(context, pool, right, wrong)


async def alternate_replies(context: Context, pool: ClientPool) -> list[str]:
    """Let one at each process answer what the other one said, once it was seen; return the cids."""
    talk: list[str] = []
    for number in range(context.short_or_long(40, 1000)):
        context.say(f"{number} answers")
        speaker: Client = pool.clients[number % 2]
        await speaker.connected.wait()
        if talk:
            before = talk[-1]
            await wait_until("it was acknowledged", lambda: before in pool.client_log.acked)  # noqa: B023
            seq = pool.client_log.acked[before][1]
            await wait_until("it was seen", lambda: speaker.last >= seq)  # noqa: B023
        talk.append(await speaker.send(f"answer {number} of {speaker.name}"))
    return talk


async def check_history_order(
    context: Context, pool: ClientPool, chat: ChatProcess, talk: list[str]
) -> None:
    """See that the history has the same order, though the times in it jump."""
    cookie, conv = pool.people[0]
    page = ApiSession(pool.http, cookie)
    events: list[dict[str, Any]] = []
    while True:
        after = events[-1]["seq"] if events else 0
        _, answer = await page.call(
            "GET", f"{chat.url}/api/conversations/{conv}/events?after={after}"
        )
        if not answer["events"]:
            break
        events += answer["events"]
    said = [event["text"] for event in events if event["text"].startswith("answer ")]
    context.expect_equal("the history", said, [pool.client_log.sent[cid][1] for cid in talk])
    times = [event["at"] for event in events if event["text"].startswith("answer ")]
    jumps = [abs(b - a) for a, b in itertools.pairwise(times)]
    context.expect("the clocks differ by an hour", min(jumps) > 0.9 * HOUR * 1000, jumps[:5])
    context.figures["clocks differ by s"] = min(jumps) / 1000
