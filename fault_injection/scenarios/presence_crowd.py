"""Users come, go and change over between processes, one of which is killed."""

import asyncio
import signal
from typing import Any

from capstone_chat.storage.tables import contacts
from fault_injection.harness.client_pool import ClientPool, PoolClient
from fault_injection.harness.context import Context, wait_until
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.servers import MariaDB, Redis

PING = 2
"""Seconds between two pings of the server."""


class ShownPresence:
    """The presence of others as the page of a user shows it.

    Args:
        client: the client, whose events the page receives.
    """

    def __init__(self, client: PoolClient) -> None:
        self.client = client
        self.user = 0
        self.online: set[int] = set()
        self.seen: set[int] = set()
        """All users who were ever shown as online."""
        self._handle = client.handle
        client.handle = self.handle  # type: ignore[method-assign]

    async def handle(self, event: dict[str, Any]) -> None:
        """Take the presence from an event, and hand it to the client."""
        match event["type"]:
            case "hello":
                self.user = event["user"]["id"]
                self.online = set(event["online"])
            case "pong" if "online" in event:
                self.online = set(event["online"])
            case "presence":
                (self.online.add if event["online"] else self.online.discard)(event["user"])
        self.seen |= self.online
        await self._handle(event)


async def run(context: Context) -> None:
    """Compare what every page shows with who is connected, after each change."""
    maria, redis = await asyncio.gather(MariaDB(context).start(), Redis(context).start())
    members = context.short_or_long(12, 100)
    pool = ClientPool(context, maria.url, redis.url, rooms=1, members=members)
    expiry = context.short_or_long(6, 30)
    pings = f"--ping-interval={PING}", f"--ping-timeout={PING}"
    chats = await pool.start_chats(3, *pings, PRESENCE_EXPIRY=str(expiry))
    pages = [ShownPresence(client) for client in pool.clients]
    await wait_until("all are connected", lambda: all(page.user for page in pages))
    everyone = {page.user for page in pages}
    blocker, blocked = pages[0].user, pages[1].user
    add_contacts(pool, everyone, blocker, blocked)

    async def expect(what: str, pages: list[ShownPresence], seconds: float) -> None:
        """Check that these pages show each other within a time; neither end of a block does."""
        users = {page.user for page in pages}
        hidden = {blocker: blocked, blocked: blocker}

        def is_right() -> bool:
            return all(page.online == users - {page.user, hidden.get(page.user)} for page in pages)

        begin = asyncio.get_running_loop().time()
        await wait_until(what, is_right, seconds)
        took = asyncio.get_running_loop().time() - begin
        context.figures[f"{what}: s"] = round(took, 1)

    slack = 8.0
    await expect("all are seen", pages, PING + slack)
    for _ in range(context.short_or_long(1, 5)):
        chats[2].signal(signal.SIGKILL)
        await chats[2].wait()
        rest = [page for page in pages if page.client.session.url != chats[2].url]
        await expect("a killed process: gone", rest, expiry + PING + slack)
        await chats[2].start()
        await expect("its users are back", pages, PING + slack)
        await redis.kill()
        await asyncio.sleep(PING)
        await redis.start()
        # A page that asked an empty Redis shows that with a ping; after a refresh all is well.
        await asyncio.sleep(expiry / 3 + 2 * PING)
        await expect("Redis was away", pages, expiry + PING + slack)
    context.expect("a blocked user saw the blocker", blocker not in pages[1].seen)
    await stop_and_check_leaks(pool)


def add_contacts(pool: ClientPool, everyone: set[int], blocker: int, blocked: int) -> None:
    """Make everyone a contact of all others; one user blocks another one instead."""
    rows = [
        {"user_id": one, "other_id": other, "at": 0, "blocked": (one, other) == (blocker, blocked)}
        for one in everyone
        for other in everyone - {one}
    ]
    with pool.engine.begin() as connection:
        connection.execute(contacts.insert(), rows)
