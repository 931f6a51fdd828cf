"""Commands of the course: in this process, and in one of their own."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner, Result

from course.cli import app
from tests.support.checkout import ROOT, clean_environment


def course(root: Path, *arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [f"--root={root}", *arguments])


def module_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module with arguments, to its end."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def course_process(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, as learn.py does."""
    return module_process("course", f"--root={root}", *arguments)


@contextlib.contextmanager
def running_course(root: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command with stderr redirected to stdout; kill it at the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "course", f"--root={root}", *arguments],
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()
