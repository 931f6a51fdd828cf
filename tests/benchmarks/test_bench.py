"""The benchmark counts deliveries and finds lost and duplicated ones. No speed is asserted."""

import itertools
import os
import platform
import random
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import tornado.testing
import tornado.web
import tornado.websocket
from hypothesis import given, settings
from hypothesis import strategies as st

import benchmarks.__main__ as bench
from benchmarks import servers, workloads
from benchmarks.load_client import frames
from benchmarks.load_client.client import LoadClient, quantiles
from benchmarks.load_client.connections import Target
from benchmarks.load_client.frames import MARKER, FrameReader, MarkerCounter
from benchmarks.load_client.jobs import make_job
from benchmarks.single import deployments
from benchmarks.summary import Summary, summarize
from benchmarks.workloads import Step, Trial, Workload
from tests.support.checkout import ROOT, learn
from tests.support.websocket_frames import TEXT, server_frame

SHORT = {"seconds": 0.1, "warmup": 0.05}
TINY: list[Step] = [
    {"step": "constant_rate", "rate": 100, **SHORT},
    {"step": "saturate", "windows": [1, 4], **SHORT},
    {"step": "reconnect_storm"},
]


def chunks(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for begin, end in itertools.pairwise(places):
        yield data[begin:end]


SIZES = st.lists(
    st.sampled_from([0, 1, 125, 126, 127, 300, 65_535, 65_536]), min_size=1, max_size=5
)
EVERYWHERE = list(range(2000))
CUTS = st.lists(st.integers(0, 200_000), max_size=12) | st.just(EVERYWHERE)


@settings(deadline=None)  # a busy machine is no failure
@given(SIZES, CUTS)
def test_frames_are_read_however_the_stream_is_cut(sizes: list[int], cuts: list[int]) -> None:
    sent = [
        (opcode, bytes([opcode]) * size) for opcode, size in zip(itertools.cycle([1, 9, 10]), sizes)
    ]
    stream = b"".join(server_frame(opcode, payload) for opcode, payload in sent)
    reader = FrameReader()
    assert [one for chunk in chunks(stream, cuts) for one in reader.feed(chunk)] == sent


@pytest.mark.parametrize("head", [b"\x81\x85", b"\x01\x05", b"\xc1\x05"])
def test_a_frame_that_is_masked_or_fragmented_or_compressed_is_refused(head: bytes) -> None:
    with pytest.raises(ValueError, match="a frame begins with"):
        list(FrameReader().feed(head + b"hello"))


def test_a_frame_of_the_client_is_what_tornado_reads() -> None:
    payload = frames.client_frame(b"x" * 300)
    assert payload[:4] == b"\x81\xfe\x01\x2c"
    assert payload[8:] == b"x" * 300


@settings(deadline=None)
@given(st.lists(CUTS, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_markers_are_counted_once_however_the_streams_are_cut(
    cuts: list[list[int]], rng: random.Random
) -> None:
    """Several connections share the buffer; each gets its reads in order, in between others'."""
    counter, found = MarkerCounter(), dict.fromkeys(range(len(cuts)), 0)
    waiting = {
        number: list(chunks(b"".join(text(7 * n) for n in range(number + 3)), cut))
        for number, cut in enumerate(cuts)
    }
    carry = dict.fromkeys(waiting, bytearray(MarkerCounter.OVERLAP))
    while left := [number for number in waiting if waiting[number]]:
        number = rng.choice(left)
        data = waiting[number].pop(0)
        counter.view[: len(data)] = data
        new, carry[number] = counter.count(carry[number], len(data))
        found[number] += new
    assert found == {number: number + 3 for number in waiting}


def text(scheduled_at: int) -> bytes:
    return server_frame(TEXT, frames.marker(scheduled_at).encode() + b" and more")


def test_two_markers_cannot_overlap() -> None:
    assert MARKER.count(MARKER[:1]) == 1


def test_the_time_behind_a_marker_is_read_only_when_it_is_complete() -> None:
    counter, data = MarkerCounter(), text(123_456)
    for size in range(len(data) + 1):
        counter.view[:size] = data[:size]
        counter.count(bytes(MarkerCounter.OVERLAP), size)
        complete = size >= data.index(MARKER) + frames.STAMP_SIZE
        assert counter.first_time(size) == (123_456 if complete else None)


def test_a_summary_is_the_median_with_the_range() -> None:
    assert summarize([3.0, 1.0, 2.0]) == Summary(2.0, 1.0, 3.0, 3)
    assert str(summarize([12.34])) == "12.3"
    assert str(summarize([1.0, 2.0, 300.0])) == "2.00 (1.00-300)"
    assert summarize([]) is None


def test_quantiles_are_those_of_the_sorted_times() -> None:
    times = [1000 * n for n in range(1, 102)]
    random.Random(1).shuffle(times)
    assert quantiles(times) == {"p50_ms": 51.0, "p99_ms": 100.0}
    assert quantiles([]) == {}


def test_the_trials_are_interleaved_and_the_same_for_the_same_seed() -> None:
    selected, loads = bench.select(set(), is_quick=False)
    plan = bench.plan_trials(selected, loads, 3, seed=5)
    assert [(t.workload, t.server) for t in plan] == [
        (t.workload, t.server) for t in bench.plan_trials(selected, loads, 3, seed=5)
    ]
    first = [trial.server.name for trial in plan if trial.workload.name == "w1"][: len(selected)]
    assert sorted(first) == sorted(server.name for server in selected), "each once, then again"
    assert {t.repetition for t in plan if t.workload.name == "idle"} == {0}
    deepest = {
        (t.repetition, max(t.workload.steps[1]["windows"])) for t in plan if t.workload.name == "w1"
    }
    assert deepest == {(0, 256), (1, 16), (2, 16)}, "more than 16 in flight take long"
    assert {t.server.name for t in plan if t.workload.needs_store} == {"chat"}


def test_a_window_that_would_take_too_long_is_left_out() -> None:
    client = LoadClient(Target(1, os.getpid()), connections=10, rooms=1)
    rate = {"per_s": 100.0}
    with mock.patch.object(client, "_saturate", lambda _, window: rate | {"window": window}):
        points = client.saturate(0.1, [1, 4, 16, 64, 256], longest=5)["points"]
    assert [point["window"] for point in points] == [1, 4, 16]


def test_bare_tornado_is_always_among_the_servers() -> None:
    selected, loads = bench.select({"chat", "w3"}, is_quick=False)
    assert [server.name for server in selected] == ["chat", servers.BASELINE]
    assert [load.name for load in loads] == ["w3"]


def test_the_list_shows_the_names_that_only_takes() -> None:
    listed = learn(ROOT, "bench", "--list")
    assert listed.returncode == 0, listed.stderr
    names = re.findall(r"^  (\S+)", listed.stdout, re.M)
    assert {"chat", "tornado", "aiohttp", "w1", "w2", "w3", "idle", "history"} <= set(names)
    unknown = learn(ROOT, "bench", "--only=chat,w9")
    assert unknown.returncode == 2
    assert "unknown: w9" in unknown.stderr


def test_a_run_of_the_chat_and_of_bare_tornado_ends_in_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = [
        Workload("w1", "one room of 5", 1, 5, TINY),
        Workload(
            "silence",
            "silent ones",
            1,
            5,
            [{"step": "silence", "seconds": 0.2, "interval": 0.05}],
            is_long=True,
        ),
        Workload(
            "history-30",
            "a page",
            1,
            2,
            [{"step": "history", "messages": 30, "requests": 3}],
            messages=30,
            needs_store=True,
        ),
    ]
    monkeypatch.setattr(bench, "WORKLOADS", tiny)
    assert bench.main(["--only=chat,tornado", "--long", "--repeat=1", f"--out={tmp_path}"]) == 0
    report = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert "| in flight | 1 | 4 |" in report
    figure = r" [\d.]+( \*)?, [\d.]+ us \|"
    assert re.search(rf"^\| \*\*the chat\*\* \|{figure}{figure}$", report, re.M), report
    assert re.search(r"^\| bare Tornado \|( 1\.00( \*)?, [\d.]+ us \|){2}$", report, re.M), report
    for name in (r"\*\*the chat\*\*", "bare Tornado"):
        assert re.search(rf"^\| {name} \| [\d.]+ \|$", report, re.M), report
    assert re.search(r"^\| 30 \| [\d.]+ \| ", report, re.M), report
    count = re.search(r"Of ([\d,]+) measured deliveries 0 were lost and 0 duplicated\.", report)
    assert count, report
    assert int(count[1].replace(",", "")) > 0
    for private in (str(ROOT), str(Path.home()), platform.node()):
        assert private not in report


PEERS = [one for one in servers.SERVERS if not (one.stores or one.name == servers.BASELINE)]


@pytest.mark.parametrize("peer", [one.name for one in PEERS if not one.unavailable_reason()])
def test_a_peer_sends_each_text_to_all_in_its_room_and_to_nobody_else(peer: str) -> None:
    server = next(one for one in PEERS if one.name == peer)
    trial = Trial(Workload("rooms", "two rooms", 2, 2, TINY[:1]), server, 0)
    assert list(workloads.run_trial(trial, seed=1)) == ["open", "constant_rate"]
    result = trial.results["constant_rate"]
    assert not trial.error
    assert result["sent_all"] > 0
    assert (result["lost"], result["duplicated"], result["closed"]) == (0, 0, 0)


def test_a_server_that_cannot_run_gives_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    node = next(one for one in servers.SERVERS if one.name == "ws")
    old = replace(node, needs=(), oldest_node=1000)
    if shutil.which("node"):
        assert old.unavailable_reason().startswith("it needs Node 1000 or newer, and this is Node ")
    monkeypatch.setenv("PATH", "")
    assert node.unavailable_reason() == "no program node on the PATH"
    broken = replace(node, module="benchmarks.peers.nothing")
    with (
        pytest.raises(servers.ServerError, match="No module named"),
        servers.run_server(broken, 1, 1),
    ):
        pass


class UnfairHandler(tornado.websocket.WebSocketHandler):
    """Sends everything twice to one client, and nothing to another."""

    clients: list["UnfairHandler"]

    def initialize(self, clients: list["UnfairHandler"]) -> None:
        self.clients = clients

    def open(self) -> None:
        self.clients.append(self)

    def on_message(self, message: str | bytes) -> None:
        for receiver in self.clients:
            for _ in range({0: 2, 1: 0}.get(self.clients.index(receiver), 1)):
                receiver.write_message(message)


class CountTest(tornado.testing.AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application([(r"/room", UnfairHandler, {"clients": []})])

    async def run_steps(self, path: str, *steps: Step) -> list[dict[str, Any]]:
        target = Target(self.get_http_port(), os.getpid(), path=path)
        job = make_job(target, 3, 1, [{"step": "open"}, *steps], drain=0.1)
        return await self.io_loop.run_in_executor(None, lambda: list(workloads.run_client(job)))

    @tornado.testing.gen_test(timeout=30)
    async def test_lost_and_duplicated_deliveries_are_counted(self) -> None:
        """In all there are as many as there should be: only a count for each connection tells."""
        _, rate, saturated = await self.run_steps("/room", *TINY[:2])
        for result in rate, *saturated["points"]:
            sent = result["sent_all"]
            assert sent > 0
            assert (result["lost"], result["duplicated"]) == (sent, sent)

    @tornado.testing.gen_test(timeout=30)
    async def test_a_refused_handshake_is_an_error(self) -> None:
        with pytest.raises(servers.ServerError, match="404"):
            await self.run_steps("/nowhere")


def test_a_deployment_is_measured_without_a_lost_message(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployments, "ROOMS", 2)
    monkeypatch.setattr(sys, "argv", ["deployments", "--only=sqlite", "--seconds=0.2"])
    assert deployments.main() == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows[3:]] == ["alone", "1", "4", "16"]
    assert all(float(latency) > 0 for row in rows[3:] for latency in row[-2:])


def test_a_deployment_that_there_is_not_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["deployments", "--only=sqlite,oracle"])
    with pytest.raises(SystemExit) as ended:
        deployments.main()
    assert ended.value.code == 2
    assert "no deployment 'oracle'; there are sqlite," in capsys.readouterr().err
