"""Row 5: a message is sent twice, one after the other and at once, to one process and to two."""

import asyncio
import uuid
from collections import Counter

from benchmarks.faults.crowd import GENEROUS, Crowd
from benchmarks.faults.leaks import settle
from benchmarks.faults.page import Line
from benchmarks.faults.processes import Chat
from benchmarks.faults.servers import MariaDB
from benchmarks.faults.stage import Stage

WAYS = {
    "in order": (0, 0),
    "on one socket at once": (0, 0),
    "on two sockets at once": (0, 1),
    "on two processes at once": (0, 2),
    "on three sockets at once": (0, 1, 2),
}
"""On which sockets: 0 and 1 lead to one process, 2 to the other one."""


async def play(stage: Stage) -> None:
    """On SQLite and on MariaDB, which keep order by other means."""
    maria = await MariaDB(stage).start()
    for name, database in ("SQLite", ""), ("MariaDB", maria.url):
        await twice(stage, name, database)


async def twice(stage: Stage, name: str, database: str) -> None:
    """Send each message twice, by all ways in turn."""
    data = stage.folder / f"data-{name}"
    crowd = Crowd(stage, data, database, rooms=1, members=2)
    options = f"--data={data}", f"--database={database}", *GENEROUS
    chats = [Chat(stage, f"{name}-{n}", *options) for n in range(2)]
    await asyncio.gather(*(chat.start() for chat in chats))
    cookie, conv = crowd.people[0][0], int(crowd.people[0][1])
    lines = [await Line.open(chat.url, cookie) for chat in (chats[0], chats[0], chats[1])]
    tries = stage.pick(150, 1500)
    refused: Counter[str] = Counter()

    async def send(line: Line, cid: str, text: str) -> int:
        while True:
            await line.say(type="send", cid=cid, conv=conv, text=text)
            answer = await line.receive("ack", "error")
            if answer["type"] == "ack":
                crowd.ledger.ack(answer["cid"], answer["conv"], answer["seq"])
                return int(answer["seq"])
            refused[answer["code"]] += 1
            if answer["code"] != "unavailable":
                return 0

    async def burst(line: Line, cid: str, text: str, count: int) -> set[int]:
        for _ in range(count):
            await line.say(type="send", cid=cid, conv=conv, text=text)
        answers = [await line.receive("ack", "error") for _ in range(count)]
        refused.update(answer["code"] for answer in answers if answer["type"] == "error")
        return {answer.get("seq", 0) for answer in answers}

    for number in range(tries):
        way = list(WAYS)[number % len(WAYS)]
        cid = str(uuid.UUID(int=stage.random.getrandbits(128), version=4))
        text = f"{name} {number} {way}"
        crowd.ledger.send(cid, conv, text)
        stage.say(f"{name}: {number} of {tries} messages")
        if way == "in order":
            seqs = {await send(lines[0], cid, text), await send(lines[0], cid, text)}
        elif way == "on one socket at once":
            seqs = await burst(lines[0], cid, text, 2)
            crowd.ledger.ack(cid, conv, min(seqs))
        else:
            seqs = set(await asyncio.gather(*(send(lines[n], cid, text) for n in WAYS[way])))
        stage.expect(f"{name}, {way}: one seq", len(seqs) == 1 and 0 not in seqs, seqs)
        if number % 10 == 0:  # the same cid for something else is no second message
            await lines[1].say(type="send", cid=cid, conv=conv, text="something else")
            answer = await lines[1].receive("ack", "error")
            stage.expect_equal(f"{name}: another text", answer.get("code"), "conflict")
    for line in lines:
        await line.close()
    truth = crowd.truth()
    stage.expect_equal(f"{name}: rows", len(truth.events), tries)
    stage.expect_equal(f"{name}: refused", dict(refused), {})
    verdict = crowd.ledger.judge(truth)
    for kind, found in verdict.problems().items():
        stage.expect(f"{name}: {kind}", not found, f"{len(found)}, such as {found[0]}")
    stage.figures |= {
        f"{name}: messages": tries,
        f"{name}: acks": crowd.ledger.acks,
        f"{name}: rows": len(truth.events),
    }
    await settle(stage, crowd, *chats)
