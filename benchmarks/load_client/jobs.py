"""Jobs for the load client: a server, a number of connections in rooms, and steps.

A step is a dictionary such as `{"step": "saturate", "seconds": 0.5, "windows": [16]}`: the name of
a method of `LoadClient`, and its arguments.
"""

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from benchmarks.load_client.client import LoadClient
from benchmarks.load_client.connections import LoadError, Target

STEPS = (
    "open",
    "reconnect_storm",
    "idle",
    "silence",
    "saturate",
    "constant_rate",
    "ramp",
    "history",
)


def make_job(
    target: Target, connections: int, rooms: int, steps: list[dict[str, Any]], **more: Any
) -> str:
    """Return a job as JSON; `more` holds further arguments of `LoadClient`."""
    parts = {"target": dataclasses.asdict(target), "connections": connections, "rooms": rooms}
    return json.dumps(parts | {"steps": steps} | more)


def run_job(job: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Run the steps of a job one after the other; yield the result of each.

    Raises:
        LoadError: a step does not exist, or the server does not behave as a step requires.
    """
    steps = job.pop("steps")
    client = LoadClient(Target(**job.pop("target")), **job)
    for step in steps:
        name = step.pop("step")
        if name not in STEPS:
            raise LoadError(f"there is no step {name!r}")
        yield {"step": name, **getattr(client, name)(**step)}
