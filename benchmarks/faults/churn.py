"""Row 10: people come, join, say something, leave and go, again and again."""

import asyncio

from benchmarks.faults.crowd import GENEROUS, Crowd
from benchmarks.faults.leaks import SPARE, settle
from benchmarks.faults.page import Line, Page
from benchmarks.faults.processes import Chat, Usage
from benchmarks.faults.stage import Stage, until

AT_ONCE = 5
"""People who come and go at a time."""
GROWTH = 4 * 1024
"""KiB by which the memory may grow after the first round: what SQLite caches of the group grows
with its history. In 20 minutes that is some hundred bytes a visit; an object that stays has more.
"""


async def play(stage: Stage) -> None:
    """Look at what the chat holds each time that all have gone."""
    data = stage.folder / "data"
    crowd = Crowd(stage, data, rooms=1, members=40)
    options = f"--data={data}", *GENEROUS
    chat = await Chat(stage, "chat", *options).start()
    pages = [Page(crowd.http, cookie) for cookie, _ in crowd.people]
    await pages[0].open(chat.url)
    _, made = await pages[0].call("POST", f"{chat.url}/api/groups", {"title": "Station"})
    conv = int(made["conversation"]["id"])
    await crowd.warm_up(chat.url)
    rounds, seconds = stage.pick((4, 2.0), (12, 100.0))
    visits = 0
    held: list[Usage] = []
    for number in range(rounds):
        end = asyncio.get_running_loop().time() + seconds
        counts = await asyncio.gather(
            *(visit_until(end, chat, pages[1 + n :: AT_ONCE], 2 + n, conv) for n in range(AT_ONCE))
        )
        visits += sum(counts)
        await until("all have gone", lambda: not chat.visitors())
        held.append(await chat.usage())
        stage.say(f"round {number + 1} of {rounds}, {visits} visits, {held[-1]}")
    stage.figures["visits"] = visits
    for name in "kib", "fds", "threads", "tasks":
        stage.figures[name] = ", ".join(str(getattr(one, name)) for one in held)
    first, last = held[0], held[-1]
    stage.expect_equal("tasks", last.tasks, first.tasks)
    stage.expect_equal("threads", last.threads, first.threads)
    stage.expect("file descriptors", last.fds <= first.fds + SPARE, (first.fds, last.fds))
    growth = last.kib - first.kib
    stage.expect("memory", growth < GROWTH, f"it grew by {growth} KiB in {visits} visits")
    await settle(stage, crowd, chat)


async def visit_until(end: float, chat: Chat, pages: list[Page], user: int, conv: int) -> int:
    """Let some people visit one after the other, until a time; return how many visits there were.

    Args:
        user: the id of the first one; those of the others follow, `AT_ONCE` apart.
    """
    visits = 0
    while asyncio.get_running_loop().time() < end:
        number = visits % len(pages)
        await visit(chat, pages[number], user + number * AT_ONCE, conv)
        visits += 1
    return visits


async def visit(chat: Chat, page: Page, user: int, conv: int) -> None:
    """Come, join, say something, leave and go."""
    if not page.token:
        await page.open(chat.url)
    line = await Line.open(chat.url, page.cookie)
    try:
        await stop_over(chat, page, line, user, conv)
    finally:
        await line.close()


async def stop_over(chat: Chat, page: Page, line: Line, user: int, conv: int) -> None:
    """Join, say something and leave."""
    group = f"{chat.url}/api/groups/{conv}"
    code, answer = await page.call("POST", f"{group}/join")
    if code != 200:
        raise ValueError(f"joining was answered with {code} {answer}")
    cid = f"00000000-0000-4000-8000-{page.visits:06}{user:06}"
    page.visits += 1
    await line.say(type="send", cid=cid, conv=conv, text="Is this the right platform?")
    await line.receive("ack")
    code, answer = await page.call("DELETE", f"{group}/members/{user}")
    if code != 204:
        raise ValueError(f"leaving was answered with {code} {answer}")
