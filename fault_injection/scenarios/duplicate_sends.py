"""A message is sent twice, in order and at the same time, to one process and to two."""

import asyncio
import uuid
from collections import Counter

from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.servers import MariaDB
from tests.support.chat_client import ChatSocket

SOCKET_LAYOUTS = {
    "in order": (0, 0),
    "on one socket at once": (0, 0),
    "on two sockets at once": (0, 1),
    "on two processes at once": (0, 2),
    "on three sockets at once": (0, 1, 2),
}
"""The sockets of the two sends: 0 and 1 are connected to one process, 2 to the other one."""


async def run(context: Context) -> None:
    """Run on SQLite and on MariaDB, which serialize writes in different ways."""
    maria = await MariaDB(context).start()
    for name, database in ("SQLite", ""), ("MariaDB", maria.url):
        await send_duplicates(context, name, database)


class Sender:
    """Sends messages of one user in one conversation, and counts the refusals.

    Args:
        pool: records the acknowledgements.
        conv: id of the conversation.

    Attributes:
        refused: number of answers with each error code.
    """

    def __init__(self, pool: ClientPool, conv: int) -> None:
        self._pool = pool
        self._conv = conv
        self.refused: Counter[str] = Counter()

    async def send(self, connection: ChatSocket, cid: str, text: str) -> int:
        """Send a message until the chat is available; return its seq, or 0 if it is refused."""
        while True:
            await connection.send(self._conv, text, cid)
            answer = await connection.receive("ack", "error")
            if answer["type"] == "ack":
                self._pool.client_log.ack(answer["cid"], answer["conv"], answer["seq"])
                return int(answer["seq"])
            self.refused[answer["code"]] += 1
            if answer["code"] != "unavailable":
                return 0

    async def burst(self, connection: ChatSocket, cid: str, text: str, count: int) -> set[int]:
        """Send a message several times without waiting; return the seqs of the answers."""
        for _ in range(count):
            await connection.send(self._conv, text, cid)
        answers = [await connection.receive("ack", "error") for _ in range(count)]
        self.refused.update(answer["code"] for answer in answers if answer["type"] == "error")
        return {answer.get("seq", 0) for answer in answers}


async def send_duplicates(context: Context, name: str, database: str) -> None:
    """Send each message twice, with all layouts in turn."""
    data = context.folder / f"data-{name}"
    pool = ClientPool(context, database, data=data, rooms=1, members=2)
    chats = [pool.chat(f"{name}-{n}") for n in range(2)]
    await asyncio.gather(*(chat.start() for chat in chats))
    cookie, conv = pool.credentials[0][0], int(pool.credentials[0][1])
    connections = [
        await ChatSocket.connect(chat.url, cookie) for chat in (chats[0], chats[0], chats[1])
    ]
    tries = context.short_or_long(150, 1500)
    sender = Sender(pool, conv)
    for number in range(tries):
        layout = list(SOCKET_LAYOUTS)[number % len(SOCKET_LAYOUTS)]
        cid = str(uuid.UUID(int=context.rng.getrandbits(128), version=4))
        text = f"{name} {number} {layout}"
        pool.client_log.send(cid, conv, text)
        context.progress(f"{name}: {number} of {tries} messages")
        if layout == "in order":
            seqs = {await sender.send(connections[0], cid, text) for _ in range(2)}
        elif layout == "on one socket at once":
            seqs = await sender.burst(connections[0], cid, text, 2)
            pool.client_log.ack(cid, conv, min(seqs))
        else:
            seqs = set(
                await asyncio.gather(
                    *(sender.send(connections[n], cid, text) for n in SOCKET_LAYOUTS[layout])
                )
            )
        context.expect(f"{name}, {layout}: one seq", len(seqs) == 1 and 0 not in seqs, seqs)
        if number % 10 == 0:  # the same cid with another text must be a conflict
            await connections[1].send(conv, "something else", cid)
            answer = await connections[1].receive("ack", "error")
            context.expect_equal(f"{name}: another text", answer.get("code"), "conflict")
    for connection in connections:
        await connection.close()
    stored_state = pool.stored_state()
    context.expect_equal(f"{name}: rows", len(stored_state.events), tries)
    context.expect_equal(f"{name}: refused", dict(sender.refused), {})
    violations = pool.client_log.check(stored_state)
    for kind, found in violations.problems().items():
        context.expect(f"{name}: {kind}", not found, f"{len(found)}, such as {found[0]}")
    context.figures |= {
        f"{name}: messages": tries,
        f"{name}: acks": pool.client_log.acks,
        f"{name}: rows": len(stored_state.events),
    }
    await stop_and_check_leaks(pool)
