"""All clients reconnect at once."""

import asyncio

import tornado.httpclient

from fault_injection.harness.api_session import ApiSession
from fault_injection.harness.client_pool import NO_LIMITS, ClientPool
from fault_injection.harness.context import Context, wait_until
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess

MEMBERS = 50
"""Members of a group."""
EARLY = 10
"""Clients that are back before the others, and talk meanwhile."""
PASSWORD = "correct horse battery"  # noqa: S105
LOGINS = 10
"""People who log in with a password in the middle of it."""
MAX_RECONNECT_S = 10.0
"""Seconds until the last one must have seen all."""


async def run(context: Context) -> None:
    """Kill the chat with everybody connected; some talk, then all others come back."""
    data = context.folder / "data"
    count = context.short_or_long(300, 5000)
    jitter = context.short_or_long(1.0, 5.0)
    pool = ClientPool(context, data, rooms=count // MEMBERS, members=MEMBERS, ping_every=25)
    pool.set_password(PASSWORD)
    chat = await ChatProcess(context, "chat", f"--data={data}", *NO_LIMITS).start()
    pool.connect_all([lambda: chat.url])
    await wait_until("all are connected", lambda: count_synced(pool) == count, 120)
    usage = await chat.usage()
    early, late = pool.clients[:EARLY], pool.clients[EARLY:]
    for client in late:
        client.may_connect.clear()
    await chat.kill()
    await chat.start()
    pool.start_sending(early)
    await wait_until("some talk", lambda: len(pool.client_log.acked) >= 200, 60)
    await pool.stop_sending()
    pool.start_sending(early, every=1.0)  # and some go on
    before = pool.total("refused")  # all who first came did so without any jitter
    context.progress(f"{len(late)} clients come back")
    begin = asyncio.get_running_loop().time()
    for client in late:
        asyncio.get_running_loop().call_later(client.rng.uniform(0, jitter), client.may_connect.set)
    logins = asyncio.ensure_future(log_in(pool, chat))
    await wait_until("all are back", lambda: count_synced(pool) == count, 120)
    seconds = asyncio.get_running_loop().time() - begin
    context.expect_equal("logins with a password", await logins, [303] * LOGINS)
    await pool.stop_and_converge()
    pool.verify()
    context.figures |= {
        "seconds": f"{seconds:.1f} with {jitter:.0f} s of jitter",
        "fetched events": sum(client.resumed for client in pool.clients),
        "MiB with all connected": usage.kib // 1024,
    }
    context.expect(
        f"all back within {MAX_RECONNECT_S:.0f} s", seconds < MAX_RECONNECT_S, f"{seconds:.1f} s"
    )
    refused = pool.total("refused") - before
    context.expect_equal("handshakes that were refused", dict(refused), {})
    resumed = [client for client in late if client.resumed]
    context.expect("those who were away fetched what they missed", len(resumed) > 0)
    closes = dict(pool.total("closes"))
    context.expect("no connection ends with a code", closes.keys() == {None}, closes)
    await stop_and_check_leaks(context, pool, chat)


def count_synced(pool: ClientPool) -> int:
    """Return how many clients are connected and have received all that was stored before."""
    return sum(client.synced.is_set() for client in pool.clients)


async def log_in(pool: ClientPool, chat: ChatProcess) -> list[int]:
    """Log some people in who have no session yet; return the statuses."""
    http = tornado.httpclient.AsyncHTTPClient(force_instance=True)
    try:
        return await asyncio.gather(
            *(
                ApiSession(http, "").login(chat.url, f"user{number}", PASSWORD, pool.engine)
                for number in range(LOGINS)
            )
        )
    finally:
        http.close()
