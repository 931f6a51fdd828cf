"""The fault suite: its rows are there, its ledger sees what is lost, doubled or missing, and a loop
that is held up is noticed."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence

import pytest

from benchmarks.faults.__main__ import main
from benchmarks.faults.ledger import Ledger, Stored, Truth
from benchmarks.faults.observed import Turns
from benchmarks.faults.processes import is_mistake
from benchmarks.faults.rows import ROWS

FAULTS = [
    *("kill", "database", "redis", "reconnect", "cids"),
    *("rolling", "disk", "clock", "fuzz", "churn"),
]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["faults", *arguments])
    return main()


def test_the_list_names_every_fault_and_plays_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--list") == 0
    listed = capsys.readouterr().out
    assert [line.split()[0] for line in listed.splitlines()] == list(FAULTS)
    assert all(row.fault in listed and row.holds in listed for row in ROWS)


def test_a_row_that_does_not_exist_is_a_wrong_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        run(monkeypatch, "--only=sharknado")
    assert exit.value.code == 2
    assert "sharknado" in capsys.readouterr().err


def test_a_program_that_is_missing_is_named_with_the_package_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path: None)
    assert run(monkeypatch, "--only=cids") == 2
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert "mariadb-install-db" in complaint
    assert "apt-get install mariadb-server" in complaint


@pytest.mark.skipif(sys.platform != "linux", reason="the fault suite looks into /proc")
def test_a_callback_that_holds_up_the_loop_is_measured() -> None:
    async def held_up() -> float:
        loop = asyncio.get_running_loop()
        turns = Turns(loop._selector)  # type: ignore[attr-defined]
        loop.call_soon(time.sleep, 0.2)
        for _ in range(2):  # the turn of that call, and the next, which has measured it
            await asyncio.sleep(0)
        turns.close()
        return turns.longest

    assert asyncio.run(held_up()) >= 0.2


def test_a_traceback_in_the_log_is_a_mistake_but_for_a_connection_that_the_pool_lets_go() -> None:
    def line(logger: str, **more: str) -> str:
        return json.dumps({"level": "error", "logger": logger, "message": "..."} | more)

    assert is_mistake("Traceback (most recent call last):")
    assert is_mistake(line("capstone_chat.handlers.base", traceback="..."))
    assert not is_mistake(line("capstone_chat.handlers.base"))
    assert not is_mistake(line("sqlalchemy.pool.impl.QueuePool", traceback="..."))


def ledger() -> Ledger:
    """Three messages of a conversation, all sent and acknowledged."""
    told = Ledger()
    for seq, cid in enumerate("abc", 1):
        told.send(cid, 7, f"text {cid}")
        told.ack(cid, 7, seq)
    return told


def stored(cids: str = "abc", *, head: int | None = None, skip: Sequence[int] = ()) -> Truth:
    """What the database would hold of these messages, in this order."""
    events = [
        Stored(7, seq, cid, f"text {cid}") for seq, cid in enumerate(cids, 1) if seq not in skip
    ]
    return Truth(events, {7: len(cids) if head is None else head})


def test_what_is_told_and_stored_alike_is_no_problem() -> None:
    view = {(7, 1): "text a", (7, 2): "text b", (7, 3): "text c"}
    assert ledger().judge(stored(), {"anna": view}).problems() == {}


def test_an_acknowledged_message_that_is_not_stored_is_lost() -> None:
    assert len(ledger().judge(stored("ab")).lost) == 1
    assert len(ledger().judge(stored(skip=[3])).lost) == 1


def test_an_acknowledged_message_with_another_text_is_lost() -> None:
    truth = stored()
    other = Stored(7, 2, "b", "something else")
    events = [truth.events[0], other, truth.events[2]]
    assert len(ledger().judge(Truth(events, truth.heads)).lost) == 1


def test_a_message_in_another_place_than_it_was_acknowledged_at_is_lost() -> None:
    assert len(ledger().judge(stored("bac")).lost) == 2


def test_a_message_that_is_stored_twice_is_doubled() -> None:
    verdict = ledger().judge(stored("abca"))
    assert [problem.split()[0] for problem in verdict.doubled] == ["cid", "text"]


def test_two_messages_at_one_place_are_doubled() -> None:
    truth = stored()
    twice = Truth([*truth.events, Stored(7, 3, "d", "text d")], truth.heads)
    assert len(ledger().judge(twice).doubled) == 1


def test_a_seq_that_nothing_has_is_a_gap() -> None:
    assert ledger().judge(stored(skip=[2])).gaps == ["7 has no seq 2"]
    assert ledger().judge(stored(head=4)).gaps == ["7 has no seq 4"]
    assert ledger().judge(stored(head=2)).gaps == ["7 has seq 3 beyond its head 2"]


def test_a_message_that_was_never_acknowledged_is_unsettled() -> None:
    told = ledger()
    told.send("d", 7, "text d")
    assert len(told.judge(stored()).unsettled) == 1


def test_two_acknowledgements_that_differ_are_disputed() -> None:
    told = ledger()
    told.ack("a", 7, 1)
    assert told.judge(stored()).disputed == []
    told.ack("a", 7, 2)
    assert len(told.judge(stored()).disputed) == 1


def test_a_client_that_saw_something_else_is_astray() -> None:
    whole = {(7, 1): "text a", (7, 2): "text b", (7, 3): "text c"}
    swapped = whole | {(7, 1): "text b", (7, 2): "text a"}
    for view, problems in ((dict(list(whole.items())[:2]), 1), (swapped, 2)):
        assert len(ledger().judge(stored(), {"anna": view}).astray) == problems
    beyond = whole | {(7, 4): "text d"}
    assert len(ledger().judge(stored(), {"anna": beyond}).astray) == 1
