"""Runs the page's own JavaScript modules in Node: what they compute needs no browser."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.services import require

SCRIPTS = Path(__file__).resolve().parents[2] / "capstone_chat" / "static" / "js"
SECONDS = 60


def run(script: str, given: Any = None) -> Any:
    """Return what a script prints as JSON.

    Args:
        script: an ES module; it imports the page's modules by `./name.js`, and `given` is there.
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
