"""Row 1: the chat is killed under load, again and again."""

import asyncio
import signal

import sqlalchemy as sa

from benchmarks.faults.crowd import GENEROUS, Crowd
from benchmarks.faults.leaks import settle
from benchmarks.faults.processes import Chat
from benchmarks.faults.stage import Stage, until


async def play(stage: Stage) -> None:
    """Kill it the moment that a message is acknowledged, or at any other; start it on the same
    file, and see what the clients say."""
    data = stage.folder / "data"
    crowd = Crowd(stage, data, rooms=4, members=5)
    chat = await Chat(stage, "chat", f"--data={data}", *GENEROUS).start()
    crowd.arrive([lambda: chat.url])
    crowd.talk()
    kills = stage.pick(5, 50)
    for kill in range(kills):
        stage.say(f"kill {kill + 1} of {kills}, {len(crowd.ledger.acked)} acknowledged")
        enough = len(crowd.ledger.acked) + stage.random.randint(100, 400)
        await until("messages flow", lambda: len(crowd.ledger.acked) >= enough)  # noqa: B023
        if stage.random.random() < 0.2:
            await asyncio.sleep(stage.random.uniform(0, 0.02))
            chat.signal(signal.SIGKILL)
        else:  # the moment that an acknowledgement before its commit would not survive
            crowd.ledger.at_next_ack = lambda: chat.signal(signal.SIGKILL)
        await chat.ended()
        await chat.start()
    await crowd.hush()
    with crowd.engine.connect() as connection:
        check = connection.scalar(sa.text("PRAGMA integrity_check"))
    stage.expect_equal("PRAGMA integrity_check", check, "ok")
    crowd.judge()
    stage.figures["kills"] = kills
    closes = dict(crowd.total("closes"))
    stage.figures["broken connections"] = closes.get(None, 0)
    stage.expect("no connection ends with a code", closes.keys() == {None}, closes)
    await settle(stage, crowd, chat)
