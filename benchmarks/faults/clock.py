"""Row 8: two processes, and the clock of one is an hour off."""

import asyncio
import itertools
from typing import Any

from benchmarks.faults.client import Client
from benchmarks.faults.crowd import GENEROUS, Crowd
from benchmarks.faults.leaks import settle
from benchmarks.faults.page import Page
from benchmarks.faults.processes import Chat
from benchmarks.faults.servers import MariaDB, Redis
from benchmarks.faults.stage import Stage, until

HOUR = 3600


async def play(stage: Stage) -> None:
    """Let members at both processes talk, each answering the one before."""
    maria, redis = await asyncio.gather(MariaDB(stage).start(), Redis(stage).start())
    data = stage.folder / "data"
    crowd = Crowd(stage, data, maria.url, rooms=1, members=6)
    options = f"--data={data}", f"--database={maria.url}", f"--redis={redis.url}", *GENEROUS
    right = Chat(stage, "right", *options)
    wrong = Chat(stage, "wrong", *options, clock_off=HOUR)
    await asyncio.gather(right.start(), wrong.start())
    crowd.arrive([lambda: right.url, lambda: wrong.url])
    crowd.talk(crowd.clients[2:], every=0.2)  # others talk as well
    talk = await dialogue(stage, crowd)
    await crowd.hush()
    crowd.judge()
    seqs = [crowd.ledger.acked[cid][1] for cid in talk]
    stage.expect_equal("answers come after what they answer", seqs, sorted(seqs))
    await as_shown(stage, crowd, right, talk)
    stage.figures["answers"] = len(talk)
    stage.expect_equal("broken connections", dict(crowd.total("closes")), {})
    await settle(stage, crowd, right, wrong)


async def dialogue(stage: Stage, crowd: Crowd) -> list[str]:
    """Let one at each process answer what the other one said, once it was seen; return the cids."""
    talk: list[str] = []
    for number in range(stage.pick(40, 1000)):
        stage.say(f"{number} answers")
        speaker: Client = crowd.clients[number % 2]
        await speaker.connected.wait()
        if talk:
            before = talk[-1]
            await until("it was acknowledged", lambda: before in crowd.ledger.acked)  # noqa: B023
            seq = crowd.ledger.acked[before][1]
            await until("it was seen", lambda: speaker.last >= seq)  # noqa: B023
        talk.append(await speaker.send(f"answer {number} of {speaker.name}"))
    return talk


async def as_shown(stage: Stage, crowd: Crowd, chat: Chat, talk: list[str]) -> None:
    """See that the history has the same order, though the times in it jump."""
    cookie, conv = crowd.people[0]
    page = Page(crowd.http, cookie)
    events: list[dict[str, Any]] = []
    while True:
        after = events[-1]["seq"] if events else 0
        _, answer = await page.call(
            "GET", f"{chat.url}/api/conversations/{conv}/events?after={after}"
        )
        if not answer["events"]:
            break
        events += answer["events"]
    said = [event["text"] for event in events if event["text"].startswith("answer ")]
    stage.expect_equal("the history", said, [crowd.ledger.sent[cid][1] for cid in talk])
    times = [event["at"] for event in events if event["text"].startswith("answer ")]
    jumps = [abs(b - a) for a, b in itertools.pairwise(times)]
    stage.expect("the clocks differ by an hour", min(jumps) > 0.9 * HOUR * 1000, jumps[:5])
    stage.figures["clocks differ by s"] = min(jumps) / 1000
