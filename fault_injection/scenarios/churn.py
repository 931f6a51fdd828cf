"""People come, join, say something, leave and go, again and again."""

import asyncio

from fault_injection.harness.api_session import ApiSession, RawConnection
from fault_injection.harness.client_pool import NO_LIMITS, ClientPool
from fault_injection.harness.context import Context, wait_until
from fault_injection.harness.leaks import FD_SLACK, stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess, Usage

AT_ONCE = 5
"""People who come and go at a time."""
MAX_GROWTH_KIB = 4 * 1024
"""KiB by which the memory may grow after the first round: what SQLite caches of the group grows
with its history. In 20 minutes that is some hundred bytes a visit; an object that stays has more.
"""


async def run(context: Context) -> None:
    """Compare what the chat holds each time that all users have gone."""
    data = context.folder / "data"
    pool = ClientPool(context, data, rooms=1, members=40)
    options = f"--data={data}", *NO_LIMITS
    chat = await ChatProcess(context, "chat", *options).start()
    sessions = [ApiSession(pool.http, cookie) for cookie, _ in pool.credentials]
    await sessions[0].open(chat.url)
    _, made = await sessions[0].call("POST", f"{chat.url}/api/groups", {"title": "Station"})
    conv = int(made["conversation"]["id"])
    await pool.warm_up(chat.url)
    rounds, seconds = context.short_or_long((4, 2.0), (12, 100.0))
    visits = 0
    held: list[Usage] = []
    for number in range(rounds):
        end = asyncio.get_running_loop().time() + seconds
        counts = await asyncio.gather(
            *(
                visit_loop(end, chat, sessions[1 + n :: AT_ONCE], 2 + n, conv)
                for n in range(AT_ONCE)
            )
        )
        visits += sum(counts)
        await wait_until("all have gone", lambda: not chat.client_connections())
        held.append(await chat.usage())
        context.progress(f"round {number + 1} of {rounds}, {visits} visits, {held[-1]}")
    context.figures["visits"] = visits
    for name in "kib", "fds", "threads", "tasks":
        context.figures[name] = ", ".join(str(getattr(one, name)) for one in held)
    first, last = held[0], held[-1]
    context.expect_equal("tasks", last.tasks, first.tasks)
    context.expect_equal("threads", last.threads, first.threads)
    context.expect("file descriptors", last.fds <= first.fds + FD_SLACK, (first.fds, last.fds))
    growth = last.kib - first.kib
    context.expect("memory", growth < MAX_GROWTH_KIB, f"it grew by {growth} KiB in {visits} visits")
    await stop_and_check_leaks(context, pool, chat)


async def visit_loop(
    end: float, chat: ChatProcess, sessions: list[ApiSession], user: int, conv: int
) -> int:
    """Let some people visit one after the other, until a time; return how many visits there were.

    Args:
        user: the id of the first one; those of the others follow, `AT_ONCE` apart.
    """
    visits = 0
    while asyncio.get_running_loop().time() < end:
        number = visits % len(sessions)
        await visit(chat, sessions[number], user + number * AT_ONCE, conv)
        visits += 1
    return visits


async def visit(chat: ChatProcess, session: ApiSession, user: int, conv: int) -> None:
    """Come, join, say something, leave and go."""
    if not session.xsrf_token:
        await session.open(chat.url)
    connection = await RawConnection.open(chat.url, session.cookie)
    try:
        await join_and_post(chat, session, connection, user, conv)
    finally:
        await connection.close()


async def join_and_post(
    chat: ChatProcess, session: ApiSession, connection: RawConnection, user: int, conv: int
) -> None:
    """Join, say something and leave."""
    group = f"{chat.url}/api/groups/{conv}"
    code, answer = await session.call("POST", f"{group}/join")
    if code != 200:
        raise ValueError(f"joining was answered with {code} {answer}")
    cid = f"00000000-0000-4000-8000-{session.visits:06}{user:06}"
    session.visits += 1
    await connection.send(type="send", cid=cid, conv=conv, text="Is this the right platform?")
    await connection.receive("ack")
    code, answer = await session.call("DELETE", f"{group}/members/{user}")
    if code != 204:
        raise ValueError(f"leaving was answered with {code} {answer}")
