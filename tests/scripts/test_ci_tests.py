""".ci/tests gives a few failed tests a second try, and only those."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.script_server import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it is a script of bash")

# Stands for `learn.py test`: it records its options and the tests that failed, as pytest does.
RUN = """
import json, pathlib, sys

runs = pathlib.Path("runs")
runs.write_text(runs.read_text() + " ".join(sys.argv[2:]) + "\\n" if runs.exists() else "first\\n")
first = runs.read_text() == "first\\n"
cache = pathlib.Path(".pytest_cache/v/cache/lastfailed")
cache.parent.mkdir(parents=True, exist_ok=True)
cache.write_text(json.dumps({{f"test_{{n}}": True for n in range({failed})}}, indent=2))
print("FAILED\\n" * {failed} + "SUBFAILED\\n" * {subtests})
sys.exit({status} if first else {second})
"""


@pytest.mark.parametrize(
    ("failed", "subtests", "status", "second", "runs", "expected"),
    [
        (0, 0, 0, 0, 1, 0),
        (3, 0, 1, 0, 2, 0),
        (1, 0, 1, 1, 2, 1),
        (4, 0, 1, 0, 1, 1),
        (1, 1, 1, 0, 1, 1),  # pytest would not run the subtest again
        (1, 0, 2, 0, 1, 2),  # interrupted
    ],
)
def test_at_most_three_run_once_more(
    tmp_path: Path, failed: int, subtests: int, status: int, second: int, runs: int, expected: int
) -> None:
    for part in ".ci/tests", "scripts/coverage":
        (tmp_path / part).parent.mkdir()
        shutil.copy(ROOT / part, tmp_path / part)
    code = RUN.format(failed=failed, subtests=subtests, status=status, second=second)
    (tmp_path / "learn.py").write_text(code, encoding="utf-8")
    done = subprocess.run([tmp_path / ".ci/tests", "-k", "hello"], check=False, timeout=60)
    assert done.returncode == expected
    lines = (tmp_path / "runs").read_text(encoding="utf-8").splitlines()
    assert len(lines) == runs
    if runs == 2:
        assert lines[1].split()[:3] == ["-k", "hello", "--last-failed"]
        named = (tmp_path / "test-output/failed_among_others").read_text(encoding="utf-8")
        assert named.count("test_") == failed
