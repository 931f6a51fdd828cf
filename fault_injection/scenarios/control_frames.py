"""Several clients send far more WebSocket frames than any page.

They send unsolicited pongs, pings, messages in endless fragments, and tiny messages.
"""

import asyncio
import struct
from collections import Counter

import psutil  # type: ignore[import-untyped]

from fault_injection.harness.bystander import Bystander
from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context
from fault_injection.harness.leaks import few_resources, stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess
from fault_injection.harness.servers import MariaDB
from fault_injection.scenarios.fuzz import RawSocket
from tests.support.websocket_frames import (
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    client_frame,
    read_frame,
)

FRAMES = 10_000
"""Frames that an attacker sends on a socket: 60 kB of pongs."""
ATTACKERS = 6
PAUSE = 0.8
"""Mean seconds between two sockets of an attacker: the scenario does not test handshakes."""
MAX_GROWTH_KIB = 30 * 1024
"""KiB by which the memory of the chat may grow during the attacks."""

FLOODS = {
    "pongs": client_frame(PONG, b"") * FRAMES,
    "pings": client_frame(PING, b"x" * 100) * FRAMES,
    "fragments": client_frame(TEXT, b"", final=False)
    + client_frame(CONTINUATION, b"", final=False) * FRAMES,
    "tiny messages": client_frame(TEXT, b'{"type":"ping"}') * FRAMES,
}
OPTIONS = (
    *("--send-rate=1000", "--send-burst=10000"),  # the limit of frames stays as it is
    *("--request-rate=1000000", "--request-burst=1000000", "--drain=0.2"),
)
TOO_FAST = 3009


async def run(context: Context) -> None:
    """Attack on SQLite, and on MariaDB, where the read of the session takes longer."""
    maria = await MariaDB(context).start()
    for name, database in ("SQLite", ""), ("MariaDB", maria.url):
        await attack(context, name, database)


async def attack(context: Context, name: str, database: str) -> None:
    """Send each kind of flood from several users, and check that a bystander is not slowed down."""
    data = context.folder / f"data-{name}"
    pool = ClientPool(context, database, data=data, rooms=1, members=1 + ATTACKERS)
    chat = await pool.chat(name, limits=OPTIONS).start()
    await pool.warm_up(chat.url)
    bystander = Bystander(context, f"bystander-{name}")
    await bystander.start(chat.url, *pool.credentials[0])
    await bystander.measure_normal(context.short_or_long(2.0, 10.0))
    processor = sum(psutil.Process(chat.pid).cpu_times()[:2])
    closes: Counter[int | None] = Counter()
    async with few_resources(context, chat, name, MAX_GROWTH_KIB):
        for kind, flood in FLOODS.items():
            context.progress(f"{name}: {kind}")
            end = asyncio.get_running_loop().time() + context.short_or_long(2.0, 20.0)
            async with bystander.undisturbed(f"{name}, {kind}"):
                cookies = [cookie for cookie, _ in pool.credentials[1:]]
                floods = (send_flood(context, chat, each, flood, end, closes) for each in cookies)
                await asyncio.gather(*floods)
    processor = sum(psutil.Process(chat.pid).cpu_times()[:2]) - processor
    context.figures[f"{name}: processor seconds of the chat"] = round(processor, 2)
    context.figures[f"{name}: sockets closed, by code"] = dict(closes)
    context.expect_equal(f"{name}: codes", set(closes), {TOO_FAST})
    await check_recovered(context, name, chat, pool)
    await bystander.kill()
    await stop_and_check_leaks(pool)


async def send_flood(
    context: Context,
    chat: ChatProcess,
    cookie: str,
    flood: bytes,
    end: float,
    closes: Counter[int | None],
) -> None:
    """Open one socket after the other and send the flood on each.

    Args:
        context: the context of the scenario.
        chat: the chat.
        cookie: value of the Cookie header of the attacker.
        flood: the frames, as bytes.
        end: time at which to stop, by the clock of the event loop.
        closes: counts the close codes.
    """
    while asyncio.get_running_loop().time() < end:
        raw = await RawSocket.open(chat.port, cookie)
        try:
            raw.writer.write(flood)
            await raw.read_until()
        finally:
            await raw.close(reset=True)
        closes[raw.close_code] += 1
        await asyncio.sleep(context.rng.uniform(0.5, 1.5) * PAUSE)


async def check_recovered(context: Context, name: str, chat: ChatProcess, pool: ClientPool) -> None:
    """Check that a former attacker is served after a second, when its limit allows frames again."""
    await asyncio.sleep(1)
    raw = await RawSocket.open(chat.port, pool.credentials[1][0])
    raw.writer.write(client_frame(PING, b"still there?"))
    while (frame := await read_frame(raw.reader)) is not None and frame[0] != PONG:
        pass
    context.expect_equal(f"{name}: the pong afterwards", frame, (PONG, b"still there?"))
    raw.writer.write(client_frame(CLOSE, struct.pack("!H", 1000)))
    await raw.read_until()
    await raw.close()
