"""Runs the page's own JavaScript modules in Node: what they compute needs no browser."""

import json
import subprocess
from pathlib import Path
from typing import Any

import hypothesis

from tests.support.services import require

FEW = hypothesis.settings(
    max_examples=3,
    deadline=None,
    phases=[hypothesis.Phase.generate],  # to shrink lists of texts takes minutes
    suppress_health_check=list(hypothesis.HealthCheck),
)
"""For a property of the page's modules. Each example starts a process, so it is a list of cases."""

SCRIPTS = Path(__file__).resolve().parents[3] / "capstone_chat" / "static" / "js"
SECONDS = 60


def run(script: str, given: Any = None) -> Any:
    """Return what a script prints as JSON.

    Args:
        script: an ES module, which imports the page's modules by `./name.js`.
        given: the value of the constant `given` in the script.
    """
    source = f"const given = {json.dumps(given)};\n{script}"
    done = subprocess.run(
        [require("node"), "--input-type=module", "--eval", source],
        cwd=SCRIPTS,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
