"""The workloads: connections in rooms, and the steps that a load client runs with them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.load_client.jobs import make_job
from benchmarks.servers import (
    CLIENT_CORE,
    ROOT,
    Server,
    ServerError,
    pin_to_core,
    run_server,
)

Step = dict[str, Any]
Result = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """A workload: connections in rooms, and the steps of `LoadClient` to run with them."""

    name: str
    title: str
    rooms: int
    members: int
    steps: list[Step]
    messages: int = 0
    """Number of messages in each room before the start, for servers that store messages."""
    needs_store: bool = False
    group: str = ""
    """The name that selects several workloads in `--only`; "" for none."""
    repeat: bool = True
    """Whether to run the workload in every repetition. One run is enough if it takes long and its
    figures vary little."""
    is_long: bool = False
    """Whether the workload runs only with --long or by its name, with the servers in `QUICK`."""
    plot_only: bool = False
    """Whether the workload is for the plots only, and therefore for the servers in `PLOTTED`."""

    @property
    def selector(self) -> str:
        """The name of the workload in `--only`."""
        return self.group or self.name


@dataclass
class Trial:
    """A run of one workload with one server."""

    workload: Workload
    server: Server
    repetition: int
    results: dict[str, Result] = field(default_factory=dict)
    """The results of the steps by their names."""
    error: str = ""
    """The reason why there is no result, or ""."""


DELIVERY_RATE = 20_000
"""Deliveries per second at which latency is measured, in rooms of any size."""


def constant_rate(members: int) -> Step:
    """Return the step that measures latency in a room with the given number of members."""
    return {"step": "constant_rate", "rate": DELIVERY_RATE / members, "seconds": 0.8}


def saturate(*windows: int, warmup: float = 0.2) -> Step:
    """Return the step that measures throughput, once for each number of messages in flight.

    With 5,000 and more connections a warm-up takes as long as the measurement.
    """
    return {"step": "saturate", "seconds": 0.3, "windows": windows, "warmup": warmup}


WINDOWS = (1, 4, 16, 64, 256)
"""Numbers of messages of a room in flight at saturation."""
MAX_REPEATED = 16
"""Messages in flight up to which throughput is measured in every repetition. People produce no
more, and a slow server needs seconds for them."""
WORKLOADS = [
    Workload(
        "alone",
        "one room of 10, 100 messages a second, each alone",
        1,
        10,
        [{"step": "constant_rate", "rate": 100, "seconds": 1.5}],
    ),
    Workload("w1", "one room of 100", 1, 100, [constant_rate(100), saturate(*WINDOWS)]),
    Workload(
        "w2",
        "one room of 1000",
        1,
        1000,
        [constant_rate(1000), saturate(*WINDOWS), {"step": "reconnect_storm"}],
    ),
    Workload("w3", "100 rooms of 10", 100, 10, [saturate(*WINDOWS)]),
    Workload(
        "idle",
        "10,000 connections in rooms of 10: memory, then saturation",
        1000,
        10,
        [{"step": "idle", "seconds": 0.5}, saturate(4, warmup=0.0)],
        repeat=False,
    ),
    Workload(
        "silence",
        "5,000 silent connections, pinged from both sides, for a minute",
        500,
        10,
        [{"step": "silence", "seconds": 60}],
        repeat=False,
        is_long=True,
    ),
    Workload(
        "load",
        "one room of 100, at higher and higher rates",
        1,
        100,
        [{"step": "ramp", "rates": [100 * 3**n for n in range(6)], "seconds": 0.4}],
        repeat=False,
        plot_only=True,
    ),
    *(
        Workload(
            f"members-{members}",
            f"one room of {members}",
            1,
            members,
            [constant_rate(members), saturate(16, warmup=0.0)],
            group="members",
            repeat=False,
            plot_only=True,
        )
        for members in (10, 5000)
    ),
    *(
        Workload(
            f"history-{messages}",
            f"pages of a conversation of {messages:,} messages",
            1,
            10,
            [{"step": "history", "messages": messages}],
            messages=messages,
            group="history",
            needs_store=True,
            repeat=False,
        )
        for messages in (1000, 1_000_000)
    ),
]
QUICK = ("alone", "w1", "w2", "w3")


def shorten(workload: Workload) -> Workload:
    """Return the workload with shorter steps and without the reconnect storm."""
    seconds = {"constant_rate": 0.8, "saturate": 0.2}
    return replace(
        workload,
        steps=[
            step | {"seconds": seconds.get(step["step"], 0.3)} if "seconds" in step else step
            for step in workload.steps
            if step["step"] != "reconnect_storm"
        ],
    )


def without_deep_windows(workload: Workload) -> Workload:
    """Return the workload with at most MAX_REPEATED messages in flight, if it has such windows."""
    steps = [
        step | {"windows": [one for one in step["windows"] if one <= MAX_REPEATED]}
        if step["step"] == "saturate" and min(step["windows"]) <= MAX_REPEATED
        else step
        for step in workload.steps
    ]
    return replace(workload, steps=steps)


def with_window(workload: Workload, window: int) -> Workload:
    """Return the workload with `window` messages of a room in flight at saturation."""
    steps = [
        step | {"windows": [window]} if step["step"] == "saturate" else step
        for step in workload.steps
    ]
    return replace(workload, steps=steps)


def run_trial(trial: Trial, seed: int) -> Iterator[str]:
    """Run a trial and store the results in it; yield the name of each finished step."""
    workload = trial.workload
    try:
        with run_server(
            trial.server, workload.rooms, workload.members, workload.messages
        ) as target:
            connections = workload.rooms * workload.members
            steps = [{"step": "open"}, *workload.steps]
            job = make_job(target, connections, workload.rooms, steps, seed=seed)
            for result in run_client(job):
                name = result.pop("step")
                trial.results[name] = result
                yield name
    except ServerError as error:
        trial.error = str(error)


def run_client(job: str) -> Iterator[Result]:
    """Run a job in a load client, on a separate core if there are two; yield each step's result.

    Raises:
        ServerError: the server does not behave as a step requires, or the load client failed.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load_client"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    ) as process:
        pin_to_core(process.pid, CLIENT_CORE)
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(job)
            process.stdin.close()
            for line in process.stdout:
                result = json.loads(line)
                if "error" in result:
                    raise ServerError(result["error"])
                yield result
            if process.wait():
                raise ServerError(f"the load client ended with status {process.returncode}")
        finally:
            process.kill()
