"""Row 2: the database freezes, and dies, and comes back."""

import asyncio

from benchmarks.faults.crowd import GENEROUS, Crowd
from benchmarks.faults.lag import Bare, watched
from benchmarks.faults.leaks import settle
from benchmarks.faults.processes import Chat
from benchmarks.faults.servers import DatabaseServer, MariaDB, PostgreSQL
from benchmarks.faults.stage import Stage, until, until_async

NOTICED = 3.0
"""Seconds in which /readyz must say that the database does not answer."""
HELD = 100
"""Milliseconds that a turn of the loop may take (see `observed.Turns`)."""


async def play(stage: Stage) -> None:
    """With both kinds of server at the same time; most of it is waiting."""
    async with asyncio.TaskGroup() as group:
        for server in MariaDB(stage), PostgreSQL(stage):
            group.create_task(away(stage, server))


async def away(stage: Stage, server: DatabaseServer) -> None:
    """Freeze the server, then kill it; between the two everything must be well again."""
    await server.start()
    bare = await Bare(stage).start()
    data = stage.folder / f"data-{server.name}"
    crowd = Crowd(stage, data, server.url, rooms=4, members=5)
    options = f"--data={data}", f"--database={server.url}", *GENEROUS
    chat = await Chat(stage, f"chat-{server.name}", *options).start()
    crowd.arrive([lambda: chat.url])
    crowd.talk(every=0.02)
    down = stage.pick(3.0, 30.0)
    for way in "freeze", "kill":
        enough = len(crowd.ledger.acked) + 100
        await until("messages flow", lambda: len(crowd.ledger.acked) >= enough)  # noqa: B023
        what = f"{server.name}, {way}"
        stage.say(f"{what} for {down:.0f} s, {len(crowd.ledger.acked)} acknowledged")
        if way == "freeze":
            server.freeze()
        else:
            await server.kill()
        await watch(stage, crowd, chat, bare, what, down)
        if way == "freeze":
            server.thaw()
        else:
            await server.start()
        await until_async("ready again", lambda: is_status(crowd, chat, "/readyz", 200))
    await crowd.hush()
    crowd.judge()
    errors = crowd.total("errors")
    stage.figures[f"{server.name}: errors"] = dict(errors)
    stage.expect_equal("other errors than 'unavailable'", set(errors) - {"unavailable"}, set())
    closes, refused = crowd.total("closes"), crowd.total("refused")
    stage.figures[f"{server.name}: closed"] = dict(closes)
    stage.figures[f"{server.name}: refused"] = dict(refused)
    stage.figures[f"{server.name}: given up"] = sum(client.given_up for client in crowd.clients)
    stage.expect("close codes", closes.keys() <= {1013}, dict(closes))
    # 599: a client gives up what it has heard nothing of for 10 seconds.
    stage.expect("handshakes refused", refused.keys() <= {503, 599}, dict(refused))
    await settle(stage, crowd, chat)


async def watch(stage: Stage, crowd: Crowd, chat: Chat, bare: Bare, what: str, down: float) -> None:
    """See, while the database is away, that the chat says so and does not hang."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    await chat.observe()  # from now on
    async with watched(chat.port, bare.port) as (probe, plain):
        await until_async(
            f"{what}: /readyz says 503", lambda: is_status(crowd, chat, "/readyz", 503), NOTICED
        )
        stage.figures[f"{what}: 503 after s"] = loop.time() - begin
        acked = crowd.ledger.acks
        await asyncio.sleep(down - (loop.time() - begin))
        stage.expect_equal(f"{what}: acks without a database", crowd.ledger.acks - acked, 0)
        still = await is_status(crowd, chat, "/readyz", 503)
        stage.expect(f"{what}: /readyz still says 503", still)
    held = (await chat.observe())["held_ms"]
    stage.figures[f"{what}: loop held up for ms"] = held
    stage.expect(f"{what}: the loop is free", held < HELD, f"it was held up for {held} ms")
    stage.expect_equal(f"{what}: /healthz", probe.statuses, {200})
    text = f"{probe.longest:.0f}, of a bare server {plain.longest:.0f}"
    stage.figures[f"{what}: longest /healthz ms"] = text
    # What waits for the database waits as long as it is away. What the machine takes from a server
    # with one thread, it takes more than once from one with six.
    stage.expect(f"{what}: /healthz", probe.longest < down / 2 * 1000 + 2 * plain.longest, text)


async def is_status(crowd: Crowd, chat: Chat, path: str, status: int) -> bool:
    """Tell whether a path is answered with a status."""
    response = await crowd.http.fetch(chat.url + path, raise_error=False, request_timeout=10)
    return bool(response.code == status)
