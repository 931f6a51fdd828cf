"""What is measured: each workload is a server, clients, and steps that they take."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks import client
from benchmarks.servers import CLIENT_CORE, ROOT, Server, ServerError, pin, running

Step = dict[str, Any]
Result = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """Connections in rooms, and the steps of `client.Load` that are taken with them."""

    name: str
    title: str
    rooms: int
    members: int
    steps: list[Step]
    messages: int = 0
    """Old ones in each room, for servers that store any."""
    needs_store: bool = False
    group: str = ""
    """The name by which it is chosen, when it is one of several."""
    once: bool = False
    """Whether one repetition is enough: it takes long and differs little."""
    curve: bool = False
    """Whether it is for the plots, and for those servers only that are drawn."""

    @property
    def chosen_by(self) -> str:
        """The name that --only knows."""
        return self.group or self.name


@dataclass
class Trial:
    """One server under one workload, once."""

    workload: Workload
    server: Server
    repetition: int
    results: dict[str, Result] = field(default_factory=dict)
    """By the name of the step."""
    problem: str = ""
    """Why there is no result."""


DELIVERIES = 20_000
"""Deliveries a second at which latency is measured, in rooms of any size."""


def paced(members: int) -> Step:
    """Return the step that measures latency in a room."""
    return {"step": "pace", "rate": DELIVERIES / members, "seconds": 0.8}


def saturated(*windows: int) -> Step:
    """Return the step that measures throughput, with so many messages of a room under way."""
    return {"step": "saturate", "seconds": 0.5, "windows": windows}


WORKLOADS = [
    Workload("w1", "one room of 100", 1, 100, [paced(100), saturated(16, 256)]),
    Workload(
        "w2", "one room of 1000", 1, 1000, [paced(1000), saturated(16, 32), {"step": "storm"}]
    ),
    Workload("w3", "100 rooms of 10", 100, 10, [saturated(16, 32)]),
    Workload(
        "idle",
        "10,000 connections in rooms of 10: memory, then saturation",
        1000,
        10,
        [{"step": "hold", "seconds": 0.5}, saturated(2)],
        once=True,
    ),
    Workload(
        "load",
        "one room of 100, sent into faster and faster",
        1,
        100,
        [{"step": "load", "rates": [100 * 3**n for n in range(6)], "seconds": 0.4}],
        once=True,
        curve=True,
    ),
    *(
        Workload(
            f"members-{members}",
            f"one room of {members}",
            1,
            members,
            [paced(members), saturated(*windows)],
            group="members",
            once=True,
            curve=True,
        )
        for members, windows in ((10, (256,)), (5000, (4,)))
    ),
    Workload(
        "deep",
        "one room of 5000, 64 messages under way",
        1,
        5000,
        [saturated(64)],
        group="members",
        needs_store=True,  # the others would take too long
        once=True,
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
            once=True,
        )
        for messages in (1000, 1_000_000)
    ),
]
QUICK = ("w1", "w2", "w3")


def quick(workload: Workload) -> Workload:
    """Return the workload in less time."""
    steps = [step for step in workload.steps if step["step"] != "storm"]
    return replace(
        workload, steps=[step | {"seconds": 0.6} if "seconds" in step else step for step in steps]
    )


def with_window(workload: Workload, window: int) -> Workload:
    """Return the workload with so many messages of a room under way at saturation."""
    steps = [
        step | {"windows": [window]} if step["step"] == "saturate" else step
        for step in workload.steps
    ]
    return replace(workload, steps=steps)


def run(trial: Trial, seed: int) -> Iterator[str]:
    """Run a trial, and put the results into it; yield the name of each step that is done."""
    workload = trial.workload
    try:
        with running(trial.server, workload.rooms, workload.members, workload.messages) as target:
            connections = workload.rooms * workload.members
            steps = [{"step": "open"}, *workload.steps]
            order = client.order(target, connections, workload.rooms, steps, seed=seed)
            for result in drive(order):
                name = result.pop("step")
                trial.results[name] = result
                yield name
    except ServerError as error:
        trial.problem = str(error)


def drive(order: str) -> Iterator[Result]:
    """Let a load client, on a core of its own, take the steps of an order; yield the results.

    Raises:
        ServerError: the server does not do what a step needs.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.client"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    ) as process:
        pin(process.pid, CLIENT_CORE)
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(order)
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
