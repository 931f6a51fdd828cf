"""Fault injection: the list of scenarios, the checks for violations and for a blocked event loop.

The checks find lost, duplicated and missing messages.
"""

import asyncio
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import pytest
from rich.console import Console

from fault_injection.__main__ import MAX_RUNS, Result, main, run_all
from fault_injection.harness.consistency import ClientLog, StoredMessage, StoredState
from fault_injection.harness.context import Context, FaultError
from fault_injection.harness.instrumented_chat import LoopMonitor
from fault_injection.harness.leaks import Resources
from fault_injection.harness.processes import Process, is_uncaught_error
from fault_injection.scenarios import SCENARIOS, Scenario

ROOT = Path(__file__).parents[2]

FAULTS = [
    *("kill", "database", "redis", "reconnect", "cids"),
    *("rolling", "disk", "clock", "fuzz", "pictures", "churn"),
    *("texts", "control_frames", "half_requests", "migration", "purge"),
    *("galera_kill", "galera_partition", "postgres_failover"),
    *("redis_failover", "presence_crowd"),
]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["fault_injection", *arguments])
    return main()


def test_the_list_names_every_fault_and_runs_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--list") == 0
    listed = capsys.readouterr().out
    assert [line.split()[0] for line in listed.splitlines()] == list(FAULTS)
    assert all(scenario.fault in listed and scenario.invariant in listed for scenario in SCENARIOS)


def test_a_scenario_that_does_not_exist_is_a_wrong_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        run(monkeypatch, "--only=sharknado")
    assert exit.value.code == 2
    assert "sharknado" in capsys.readouterr().err


def test_scenarios_that_are_skipped_do_not_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *(f"--skip={name}" for name in FAULTS)) == 0
    assert "in 0.0 minutes" in capsys.readouterr().out


def test_a_program_that_is_missing_is_named_with_the_package_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path: None)
    assert run(monkeypatch, "--only=cids") == 2
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert "mariadb-install-db" in complaint
    assert "apt-get install mariadb-server" in complaint


def run_scenario(tmp_path: Path, *found: Callable[[Context], None]) -> tuple[Result, int]:
    """Run a scenario that finds one thing after the other; return the result and the runs."""
    runs = 0

    async def act(context: Context) -> None:
        nonlocal runs
        found[min(runs, len(found) - 1)](context)
        runs += 1

    async def nothing_left(_before: object) -> list[str]:
        return []  # other tests may have something open in this process

    scenario = Scenario("scenario", "a fault", "all holds", act)
    console = Console(file=io.StringIO())
    with mock.patch("fault_injection.__main__.leaked_since", nothing_left):
        [result] = asyncio.run(run_all([scenario], 1, True, tmp_path, console))
    return result, runs


@pytest.mark.skipif(sys.platform != "linux", reason="fault injection looks into /proc")
def test_a_scenario_is_run_again_when_nothing_but_a_time_was_too_long(tmp_path: Path) -> None:
    def slow(context: Context) -> None:
        context.expect_time("a time", False, "90 ms")

    def wrong(context: Context) -> None:
        context.expect("a message", False, "lost")
        slow(context)

    def fine(context: Context) -> None:
        context.expect_time("a time", True, "9 ms")

    for found, passed, runs in (
        ((fine,), True, 1),
        ((slow, fine), True, 2),
        ((slow,), False, MAX_RUNS),
        ((wrong, fine), False, 1),
        ((slow, wrong, fine), False, 2),
    ):
        result, count = run_scenario(tmp_path, *found)
        assert (result.passed, count) == (passed, runs)


@pytest.mark.skipif(sys.platform != "linux", reason="fault injection looks into /proc")
def test_a_server_that_ends_at_its_start_is_reported_at_once_with_its_log(tmp_path: Path) -> None:
    async def start() -> None:
        context = Context("start", 1, True, tmp_path, print)
        async with context.stack:
            server = Process(context, "server")
            await server.spawn(sys.executable, "-c", "exit('the port is taken')")
            await server.wait_until_listening(context.free_port())

    with pytest.raises(FaultError) as error:
        asyncio.run(start())
    assert str(error.value) == "server has ended; the end of its log:\nthe port is taken\n"


def test_a_scenario_gets_no_port_twice(tmp_path: Path) -> None:
    context = Context("ports", 1, True, tmp_path, print)
    chosen = [20_001, 20_001, 20_002]
    with mock.patch("fault_injection.harness.context.free_port", lambda _: chosen.pop(0)):
        assert [context.free_port(), context.free_port()] == [20_001, 20_002]


def test_a_process_that_ended_and_that_nobody_waited_for_is_listed() -> None:
    async def looked() -> Resources:
        return Resources.now()

    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it stays, as a zombie
        assert f"{ended.pid} (ended)" in asyncio.run(looked()).children


@pytest.mark.skipif(sys.platform != "linux", reason="fault injection looks into /proc")
def test_a_callback_that_holds_up_the_loop_is_measured() -> None:
    def work(seconds: float) -> None:
        # Processor time: of a sleep, the monitor subtracts the time that other threads wait.
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass

    async def held_up() -> float:
        loop = asyncio.get_running_loop()
        monitor = LoopMonitor(loop._selector)  # type: ignore[attr-defined]
        loop.call_soon(work, 0.2)
        for _ in range(2):  # the turn of that call, and the next, which has measured it
            await asyncio.sleep(0)
        monitor.close()
        return monitor.longest

    assert asyncio.run(held_up()) >= 0.2


def test_a_traceback_in_the_log_is_an_error_but_for_a_connection_that_the_pool_lets_go() -> None:
    def line(logger: str, **more: str) -> str:
        return json.dumps({"level": "error", "logger": logger, "message": "..."} | more)

    assert is_uncaught_error("Traceback (most recent call last):")
    assert is_uncaught_error(line("capstone_chat.handlers.base", traceback="..."))
    assert not is_uncaught_error(line("capstone_chat.handlers.base"))
    assert not is_uncaught_error(line("sqlalchemy.pool.impl.QueuePool", traceback="..."))


def client_log() -> ClientLog:
    """Three messages of a conversation, all sent and acknowledged."""
    log = ClientLog()
    for seq, cid in enumerate("abc", 1):
        log.send(cid, 7, f"text {cid}")
        log.ack(cid, 7, seq)
    return log


def stored(cids: str = "abc", *, head: int | None = None, skip: Sequence[int] = ()) -> StoredState:
    """What the database would hold of these messages, in this order."""
    events = [
        StoredMessage(7, seq, cid, f"text {cid}")
        for seq, cid in enumerate(cids, 1)
        if seq not in skip
    ]
    return StoredState(events, {7: len(cids) if head is None else head})


def test_what_is_acknowledged_and_stored_alike_is_no_violation() -> None:
    view = {(7, 1): "text a", (7, 2): "text b", (7, 3): "text c"}
    assert client_log().check(stored(), {"anna": view}).problems() == {}


def test_an_acknowledged_message_that_is_not_stored_is_lost() -> None:
    assert len(client_log().check(stored("ab")).lost) == 1
    assert len(client_log().check(stored(skip=[3])).lost) == 1


def test_an_acknowledged_message_with_another_text_is_lost() -> None:
    stored_state = stored()
    other = StoredMessage(7, 2, "b", "something else")
    events = [stored_state.events[0], other, stored_state.events[2]]
    assert len(client_log().check(StoredState(events, stored_state.heads)).lost) == 1


def test_a_message_at_another_position_than_it_was_acknowledged_at_is_lost() -> None:
    assert len(client_log().check(stored("bac")).lost) == 2


def test_a_message_that_is_stored_twice_is_duplicated() -> None:
    violations = client_log().check(stored("abca"))
    assert [problem.split()[0] for problem in violations.duplicated] == ["cid", "text"]


def test_two_messages_at_one_position_are_duplicated() -> None:
    stored_state = stored()
    twice = StoredState(
        [*stored_state.events, StoredMessage(7, 3, "d", "text d")], stored_state.heads
    )
    assert len(client_log().check(twice).duplicated) == 1


def test_a_seq_that_nothing_has_is_a_gap() -> None:
    assert client_log().check(stored(skip=[2])).gaps == ["7 has no seq 2"]
    assert client_log().check(stored(head=4)).gaps == ["7 has no seq 4"]
    assert client_log().check(stored(head=2)).gaps == ["7 has seq 3 beyond its head 2"]


def test_a_message_that_was_never_acknowledged_is_unacknowledged() -> None:
    log = client_log()
    log.send("d", 7, "text d")
    assert len(log.check(stored()).unacknowledged) == 1


def test_two_acknowledgements_that_differ_are_contradictory() -> None:
    log = client_log()
    log.ack("a", 7, 1)
    assert log.check(stored()).contradictory == []
    log.ack("a", 7, 2)
    assert len(log.check(stored()).contradictory) == 1


def test_a_client_that_received_something_else_has_diverged() -> None:
    whole = {(7, 1): "text a", (7, 2): "text b", (7, 3): "text c"}
    swapped = whole | {(7, 1): "text b", (7, 2): "text a"}
    for view, problems in ((dict(list(whole.items())[:2]), 1), (swapped, 2)):
        assert len(client_log().check(stored(), {"anna": view}).diverged) == problems
    beyond = whole | {(7, 4): "text d"}
    assert len(client_log().check(stored(), {"anna": beyond}).diverged) == 1


def test_the_readme_lists_every_scenario() -> None:
    readme = (ROOT / "fault_injection" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \|", readme, re.M)
    assert sorted(listed) == sorted(scenario.name for scenario in SCENARIOS)
