"""Row 4: everybody comes back at once."""

import asyncio

import tornado.httpclient

from benchmarks.faults.crowd import GENEROUS, Crowd
from benchmarks.faults.leaks import settle
from benchmarks.faults.page import Page
from benchmarks.faults.processes import Chat
from benchmarks.faults.stage import Stage, until

ROOM = 50
"""Members of a group."""
EARLY = 10
"""Clients that are back before the others, and talk meanwhile."""
PASSWORD = "correct horse battery"  # noqa: S105
LOGINS = 10
"""People who log in with a password in the middle of it."""
WITHIN = 10.0
"""Seconds until the last one must have seen all."""


async def play(stage: Stage) -> None:
    """Kill the chat with everybody connected; some talk, then all others come back."""
    data = stage.folder / "data"
    count = stage.pick(300, 5000)
    jitter = stage.pick(1.0, 5.0)
    crowd = Crowd(stage, data, rooms=count // ROOM, members=ROOM, ping_every=25)
    crowd.set_password(PASSWORD)
    chat = await Chat(stage, "chat", f"--data={data}", *GENEROUS).start()
    crowd.arrive([lambda: chat.url])
    await until("all are connected", lambda: synced(crowd) == count, 120)
    usage = await chat.usage()
    early, late = crowd.clients[:EARLY], crowd.clients[EARLY:]
    for client in late:
        client.may_connect.clear()
    await chat.kill()
    await chat.start()
    crowd.talk(early)
    await until("some talk", lambda: len(crowd.ledger.acked) >= 200, 60)
    await crowd.quiet()
    crowd.talk(early, every=1.0)  # and some go on
    before = crowd.total("refused")  # all who first came did so without any jitter
    stage.say(f"{len(late)} clients come back")
    begin = asyncio.get_running_loop().time()
    for client in late:
        asyncio.get_running_loop().call_later(
            client.random.uniform(0, jitter), client.may_connect.set
        )
    logins = asyncio.ensure_future(log_in(crowd, chat))
    await until("all are back", lambda: synced(crowd) == count, 120)
    seconds = asyncio.get_running_loop().time() - begin
    stage.expect_equal("logins with a password", await logins, [303] * LOGINS)
    await crowd.hush()
    crowd.judge()
    stage.figures |= {
        "seconds": f"{seconds:.1f} with {jitter:.0f} s of jitter",
        "fetched events": sum(client.resumed for client in crowd.clients),
        "MiB with all connected": usage.kib // 1024,
    }
    stage.expect(f"all back within {WITHIN:.0f} s", seconds < WITHIN, f"{seconds:.1f} s")
    refused = crowd.total("refused") - before
    stage.expect_equal("handshakes that were refused", dict(refused), {})
    resumed = [client for client in late if client.resumed]
    stage.expect("those who were away fetched what they missed", len(resumed) > 0)
    closes = dict(crowd.total("closes"))
    stage.expect("no connection ends with a code", closes.keys() == {None}, closes)
    await settle(stage, crowd, chat)


def synced(crowd: Crowd) -> int:
    """Return how many are connected and have seen what was there when they came."""
    return sum(client.synced.is_set() for client in crowd.clients)


async def log_in(crowd: Crowd, chat: Chat) -> list[int]:
    """Log some people in who have no session yet; return the statuses."""
    http = tornado.httpclient.AsyncHTTPClient(force_instance=True)
    try:
        return await asyncio.gather(
            *(
                Page(http, "").login(chat.url, f"user{number}", PASSWORD, crowd.engine)
                for number in range(LOGINS)
            )
        )
    finally:
        http.close()
