"""Row 2: the database freezes, and dies, and comes back."""

import asyncio
import signal

from benchmarks.faults.crowd import GENEROUS, Crowd
from benchmarks.faults.lag import Bare, watched
from benchmarks.faults.processes import Chat
from benchmarks.faults.servers import MariaDB
from benchmarks.faults.stage import Stage, until, until_async

NOTICED = 3.0
"""Seconds in which /readyz must say that the database does not answer."""
LAG = {0.5: 100, 1.0: 1000}
"""Milliseconds in which a part of the answers must come. Half of them, since one look at the clock
proves little where others use the processor as well; all of them in a second, since a loop that
waits for the database waits as long as it is away."""


async def play(stage: Stage) -> None:
    """Freeze the server, then kill it; between the two everything must be well again."""
    maria = await MariaDB(stage).start()
    bare = await Bare(stage).start()
    data = stage.folder / "data"
    crowd = Crowd(stage, data, maria.url, rooms=4, members=5)
    options = f"--data={data}", f"--database={maria.url}", *GENEROUS
    chat = await Chat(stage, "chat", *options).start()
    crowd.arrive([lambda: chat.url])
    crowd.talk(every=0.02)
    down = stage.pick(5.0, 30.0)
    for way in "freeze", "kill":
        enough = len(crowd.ledger.acked) + 100
        await until("messages flow", lambda: len(crowd.ledger.acked) >= enough)  # noqa: B023
        stage.say(f"{way} for {down:.0f} s, {len(crowd.ledger.acked)} acknowledged")
        if way == "freeze":
            maria.signal(signal.SIGSTOP)
        else:
            await maria.kill()
        await watch(stage, crowd, chat, bare, way, down)
        if way == "freeze":
            maria.signal(signal.SIGCONT)
        else:
            await maria.start()
        await until_async("ready again", lambda: is_status(crowd, chat, "/readyz", 200))
    await crowd.hush()
    crowd.judge()
    stage.figures["errors"] = dict(crowd.total("errors"))
    strange = set(crowd.total("errors")) - {"unavailable"}
    stage.expect_equal("other errors than 'unavailable'", strange, set())


async def watch(stage: Stage, crowd: Crowd, chat: Chat, bare: Bare, way: str, down: float) -> None:
    """See, while the database is away, that the chat says so and does not hang."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    async with watched(chat.port, bare.port) as (probe, plain):
        await until_async(
            f"{way}: /readyz says 503", lambda: is_status(crowd, chat, "/readyz", 503), NOTICED
        )
        stage.figures[f"{way}: 503 after s"] = loop.time() - begin
        acked = crowd.ledger.acks
        await asyncio.sleep(down - (loop.time() - begin))
        stage.expect_equal(f"{way}: acks without a database", crowd.ledger.acks - acked, 0)
        still = await is_status(crowd, chat, "/readyz", 503)
        stage.expect(f"{way}: /readyz still says 503", still)
    stage.expect_equal(f"{way}: /healthz", probe.statuses, {200})
    for part, limit in LAG.items():
        lag, machine = probe.share(part), plain.share(part)
        text = f"{lag:.0f} ms, a bare server {machine:.0f} ms"
        stage.figures[f"{way}: lag of {part:.0%}"] = text
        # What the machine takes from a server with one thread, it takes more than once from one
        # with six.
        stage.expect(f"{way}: lag of {part:.0%}", lag < limit + 2 * machine, text)


async def is_status(crowd: Crowd, chat: Chat, path: str, status: int) -> bool:
    """Tell whether a path is answered with a status."""
    response = await crowd.http.fetch(chat.url + path, raise_error=False, request_timeout=10)
    return bool(response.code == status)
