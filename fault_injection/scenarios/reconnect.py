"""All clients reconnect at once."""

import asyncio

import tornado.httpclient

from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context, wait_until
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess
from tests.support.api_session import ApiSession

MEMBERS = 50
"""Members of each group."""
EARLY = 10
"""Clients that connect before the others and send messages."""
PASSWORD = "correct horse battery"  # noqa: S105
LOGINS = 10
"""Users who log in with a password during the reconnect storm."""
MAX_RECONNECT_S = 10.0
"""Seconds within which every client must have received all events."""


async def run(context: Context) -> None:
    """Kill the chat with all clients connected; a few send messages, then all others reconnect."""
    count = context.short_or_long(300, 5000)
    jitter = context.short_or_long(1.0, 5.0)
    pool = ClientPool(context, rooms=count // MEMBERS, members=MEMBERS, ping_interval=25)
    pool.set_password(PASSWORD)
    [chat] = await pool.start_chats(1)
    await wait_until("all are connected", lambda: count_synced(pool) == count, 120)
    usage = await chat.usage()
    early, late = pool.clients[:EARLY], pool.clients[EARLY:]
    for client in late:
        client.may_connect.clear()
    await chat.kill()
    await chat.start()
    pool.start_sending(early)
    await pool.wait_for_acks(200, 60)
    await pool.stop_sending()
    pool.start_sending(early, every=1.0)
    before = pool.total("refused")  # at the start all clients connected at once
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
        "fetched events": sum(client.fetched for client in pool.clients),
        "MiB with all connected": usage.kib // 1024,
    }
    context.expect(
        f"all back within {MAX_RECONNECT_S:.0f} s", seconds < MAX_RECONNECT_S, f"{seconds:.1f} s"
    )
    refused = pool.total("refused") - before
    context.expect_equal("handshakes that were refused", dict(refused), {})
    resumed = [client for client in late if client.fetched]
    context.expect("those who were away fetched what they missed", len(resumed) > 0)
    closes = dict(pool.total("closes"))
    context.expect("no connection ends with a code", closes.keys() == {None}, closes)
    await stop_and_check_leaks(pool)


def count_synced(pool: ClientPool) -> int:
    """Return the number of clients that are connected and have received all earlier events."""
    return sum(client.synced.is_set() for client in pool.clients)


async def log_in(pool: ClientPool, chat: ChatProcess) -> list[int]:
    """Log in `LOGINS` users with new sessions, and return the statuses."""
    http = tornado.httpclient.AsyncHTTPClient(force_instance=True)
    try:
        responses = await asyncio.gather(
            *(
                pool.log_in(ApiSession(chat.url, http=http), f"user{number}", PASSWORD)
                for number in range(LOGINS)
            )
        )
        return [response.code for response in responses]
    finally:
        http.close()
