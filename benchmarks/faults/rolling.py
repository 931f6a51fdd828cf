"""Row 6: the processes behind nginx are restarted one after the other."""

import asyncio
from collections import Counter

from benchmarks.faults.crowd import GENEROUS, Crowd
from benchmarks.faults.leaks import settle
from benchmarks.faults.page import Page
from benchmarks.faults.processes import Chat
from benchmarks.faults.servers import MariaDB, Nginx, Redis
from benchmarks.faults.stage import Stage, until, until_async


async def play(stage: Stage) -> None:
    """Restart each process in turn while everybody talks through nginx."""
    maria, redis = await asyncio.gather(MariaDB(stage).start(), Redis(stage).start())
    data = stage.folder / "data"
    crowd = Crowd(stage, data, maria.url, rooms=4, members=6)
    options = f"--data={data}", f"--database={maria.url}", f"--redis={redis.url}", *GENEROUS
    chats = [await Chat(stage, f"chat{n}", *options, "--xheaders=true").start() for n in range(2)]
    nginx = await Nginx(stage, [chat.port for chat in chats]).start()
    crowd.arrive([lambda: nginx.url])
    crowd.talk(every=0.2)
    failed: Counter[int] = Counter()
    reader = asyncio.ensure_future(read(crowd, nginx, failed))
    stage.stack.callback(reader.cancel)
    rounds = stage.pick(1, 10)
    told = 0
    for number in range(rounds * len(chats)):
        chat = chats[number % len(chats)]
        enough = len(crowd.ledger.acked) + 50
        await until("messages flow", lambda: len(crowd.ledger.acked) >= enough)  # noqa: B023
        await until("all are connected", lambda: all(c.synced.is_set() for c in crowd.clients))
        told += await sockets(crowd, chat)
        stage.say(f"{number + 1} restarts, {len(crowd.ledger.acked)} acknowledged")
        stage.expect_equal("exit code", await chat.stop(), 0)
        await chat.start()
        await until_async("ready", lambda: is_ready(crowd, chat))  # noqa: B023
    await crowd.hush()
    crowd.judge()
    reader.cancel()
    reads = await asyncio.gather(reader, return_exceptions=True)
    closes = dict(crowd.total("closes"))
    stage.figures |= {
        "restarts": rounds * len(chats),
        "closed with 1001": closes.get(1001, 0),
        "errors": dict(crowd.total("errors")),
        "handshakes and fetches tried again": crowd.total("refused").total(),
    }
    stage.expect_equal("all who were on a process that stopped saw 1001", closes, {1001: told})
    stage.expect("pages are served all the while", isinstance(reads[0], BaseException), reads)
    # A page that was asked for just when its process stopped.
    stage.figures["pages asked for again"] = failed.total()
    await settle(stage, crowd, *chats)


async def read(crowd: Crowd, nginx: Nginx, failed: Counter[int]) -> int:
    """Ask for a page again and again; return the status when it is not served twice in a row."""
    page = Page(crowd.http, crowd.people[0][0])
    before = 200
    while True:
        status = (await page.fetch(f"{nginx.url}/api/state")).code
        if status != 200:
            failed[status] += 1
            if before != 200:
                return status
        before = status
        await asyncio.sleep(0.02)


async def sockets(crowd: Crowd, chat: Chat) -> int:
    """Return how many sockets a process has."""
    metrics = (await crowd.http.fetch(f"{chat.url}/metrics")).body.decode()
    return next(
        int(float(line.split()[1]))
        for line in metrics.splitlines()
        if line.startswith("chat_sockets ")
    )


async def is_ready(crowd: Crowd, chat: Chat) -> bool:
    """Tell whether a process can be sent visitors."""
    response = await crowd.http.fetch(f"{chat.url}/readyz", raise_error=False)
    return bool(response.code == 200)
