"""A copy of the course in a folder of its own, ready to start, as a learner has it."""

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tornado.testing import bind_unused_port

ROOT = Path(__file__).resolve().parents[2]
# What a start reads. tests/ is there for `learn.py test`.
PARTS = [
    "README.md",
    "learn.py",
    "pyproject.toml",
    "requirements",
    "course",
    "lessons",
    "notebooks",
    "capstone_chat",
    "benchmarks",
    "tests",
]


def make_checkout(folder: Path) -> Path:
    """Copy the course to `folder` with an environment that learn.py takes for its own.

    The environment borrows the packages of the one that runs the tests, so that no test downloads
    anything; that learn.py installs them is shown in test_learn.py and by .ci/run.
    """
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "node_modules")
            shutil.copytree(source, folder / part, ignore=ignored)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / part)
    venv.create(folder / ".venv", symlinks=os.name != "nt")
    packages = sysconfig.get_path("purelib")
    layout = "nt_venv" if os.name == "nt" else "posix_venv"
    base = {"base": str(folder / ".venv"), "platbase": str(folder / ".venv")}
    own_packages = Path(sysconfig.get_path("purelib", layout, base))
    (own_packages / "borrowed.pth").write_text(f"import site; site.addsitedir({packages!r})\n")
    stamp = "from course import environment; environment.write_stamp('dev')"
    subprocess.run([sys.executable, "-c", stamp], cwd=folder, check=True)
    return folder


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without what pytest adds to it, in English, unbuffered."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "PYTHON", "REQUIRE_SERVICES", "FORCE_COLOR"))
    }
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "NO_COLOR": "1"} | more


def learn(
    folder: Path,
    *arguments: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `python3 learn.py ARGUMENTS` of a checkout to its end, there or in another folder.

    Args:
        env: environment variables besides those of `clean_environment`.
    """
    return subprocess.run(
        [sys.executable, str(folder / "learn.py"), *arguments],
        cwd=cwd or folder,
        env=clean_environment(**env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=100,
        check=False,
    )


def start_learn(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start `python3 learn.py ARGUMENTS` in a checkout; its output is one stream of lines."""
    return subprocess.Popen(
        [sys.executable, str(folder / "learn.py"), *arguments],
        cwd=folder,
        env=clean_environment(**env or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Return what `process` prints up to the line with `text`; fails if it ends before that."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if text in line:
            return said
    raise AssertionError(f"ended without {text!r}:\n{said}")


def with_free_port(arguments: list[str]) -> list[str]:
    """The arguments with a port that no other test uses."""
    socket, port = bind_unused_port()
    socket.close()
    return [*(one for one in arguments if not one.startswith("--port=")), f"--port={port}"]


@contextmanager
def serving(
    checkout: Path,
    arguments: list[str],
    line: str = "http://",
    env: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Start a server, give the address that it prints, and end it by SIGTERM."""
    with start_learn(checkout, *arguments, env=env) as process:
        try:
            said = read_until(process, line)
            address = re.search(r"http://\S+", said)
            assert address, said
            yield address[0]
            process.terminate()
            rest, _ = process.communicate(timeout=60)
            assert "Traceback" not in said + rest
            # A script leaves the signal to Python; the chat and Jupyter have their own way to end.
            codes = (1,) if sys.platform == "win32" else (0, -signal.SIGTERM)
            assert process.returncode in codes, said + rest
        finally:
            process.kill()


def fetch_page(address: str) -> str:
    """What the address shows. Jupyter prints it a moment before it listens."""
    for attempt in itertools.count():
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                return str(answer.read().decode())
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError) or attempt == 10_000:
                raise
    raise AssertionError("unreachable")
