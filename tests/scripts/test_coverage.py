"""scripts/coverage measures the processes that a command starts, and fails below the limit."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.script_server import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it is a script of bash")

MODULE = """
import sys

if len(sys.argv) > 1:
    print("with an argument")
else:
    print("without one")
"""
TWO_PROCESSES = """
import subprocess, sys

for arguments in [], ["one"]:
    subprocess.run([sys.executable, "-m", "course.module", *arguments], check=True)
"""


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> Path:
    """A checkout whose course is one module with two branches."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "course").mkdir()
    for part in "pyproject.toml", "scripts/coverage":
        shutil.copy(ROOT / part, tmp_path / part)
    (tmp_path / "course" / "__init__.py").touch()
    (tmp_path / "course" / "module.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def coverage(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script of a checkout, also if this process is measured itself."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [str(checkout / "scripts" / "coverage"), *arguments]
    return subprocess.run(command, cwd=checkout, env=env, capture_output=True, encoding="utf-8")


def test_a_branch_that_no_command_reaches_fails(checkout: Path) -> None:
    assert coverage(checkout, "run", ".venv/bin/python", "-m", "course.module").returncode == 0
    report = coverage(checkout, "report")
    assert report.returncode == 2
    assert "course/module.py" in report.stdout
    assert "is less than fail-under=95" in report.stdout


def test_processes_of_all_commands_since_the_last_report_count(checkout: Path) -> None:
    coverage(checkout, "run", ".venv/bin/python", "-m", "course.module")
    coverage(checkout, "run", ".venv/bin/python", "-c", TWO_PROCESSES)
    report = coverage(checkout, "report")
    assert report.returncode == 0, report.stdout + report.stderr
    coverage(checkout, "run", ".venv/bin/python", "-m", "course.module")
    assert coverage(checkout, "report").returncode == 2


def test_without_a_word_it_says_how_it_is_used(checkout: Path) -> None:
    done = coverage(checkout)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: scripts/coverage run COMMAND...")
