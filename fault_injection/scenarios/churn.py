"""Clients connect, join a group, send a message, leave and disconnect, again and again."""

import asyncio

from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context, FaultError, wait_until
from fault_injection.harness.leaks import FD_SLACK, stop_and_check_leaks
from fault_injection.harness.processes import Usage
from tests.support.api_session import ApiSession
from tests.support.chat_client import ChatSocket

AT_ONCE = 5
"""Clients that visit at the same time."""
MAX_GROWTH_KIB = 4 * 1024
"""KiB by which the memory may grow after the first round: SQLite's cache grows with the history of
the group. In 20 minutes that is a few hundred bytes a visit; a leaked object is larger."""


async def run(context: Context) -> None:
    """Compare the resources of the chat after each round of visits."""
    pool = ClientPool(context, rooms=1, members=40)
    chat = await pool.chat().start()
    sessions = [ApiSession(chat.url, cookie, pool.http) for cookie, _ in pool.credentials]
    _, made = await sessions[0].call("POST", "/api/groups", {"title": "Station"})
    conv = int(made["conversation"]["id"])
    await pool.warm_up(chat.url)
    rounds, seconds = context.short_or_long((4, 2.0), (12, 100.0))
    visits = 0
    held: list[Usage] = []
    for number in range(rounds):
        end = asyncio.get_running_loop().time() + seconds
        counts = await asyncio.gather(
            *(visit_loop(end, sessions[1 + n :: AT_ONCE], 2 + n, conv) for n in range(AT_ONCE))
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
    await stop_and_check_leaks(pool)


async def visit_loop(end: float, sessions: list[ApiSession], user: int, conv: int) -> int:
    """Visit with some sessions, one after the other, until a time; return the number of visits.

    Args:
        end: the time, by the clock of the event loop.
        sessions: the sessions.
        user: user id of the first session; the ids of the others follow, `AT_ONCE` apart.
        conv: id of the group.
    """
    visits = 0
    while asyncio.get_running_loop().time() < end:
        number = visits % len(sessions)
        await visit(sessions[number], user + number * AT_ONCE, conv)
        visits += 1
    return visits


async def visit(session: ApiSession, user: int, conv: int) -> None:
    """Connect, join the group, send a message, leave the group and disconnect."""
    connection = await ChatSocket.connect(session.url, session.cookie)
    try:
        await join_and_post(session, connection, user, conv)
    finally:
        await connection.close()


async def join_and_post(session: ApiSession, connection: ChatSocket, user: int, conv: int) -> None:
    """Join the group, send a message and leave the group.

    Raises:
        FaultError: the chat refused one of these.
    """
    code, answer = await session.call("POST", f"/api/groups/{conv}/join")
    if code != 200:
        raise FaultError(f"joining was answered with {code} {answer}")
    await connection.send(conv, "Is this the right platform?")
    await connection.receive("ack")
    code, answer = await session.call("DELETE", f"/api/groups/{conv}/members/{user}")
    if code != 204:
        raise FaultError(f"leaving was answered with {code} {answer}")
