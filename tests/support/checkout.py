"""Copies of the course in folders of their own, as a learner has it."""

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
from contextlib import contextmanager, suppress
from pathlib import Path

from course.ports import free_port
from course.processes import WAKE_INTERVAL, wake

ROOT = Path(__file__).resolve().parents[2]
# Files that learn.py reads at a start; tests/ is needed by `learn.py test`.
PARTS = [
    "README.md",
    "LICENSE",  # a command of lesson 01 sends it
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

# No start reads the answers to exercises, which are half of all files. Compiled modules are copied,
# because each checkout would compile them again: their sources keep their dates, so Python uses
# them. Those that pytest has compiled are many, and one start reads one of them.
NOT_COPIED = shutil.ignore_patterns(
    "answers", "*-pytest-*.pyc", ".ipynb_checkpoints", "node_modules"
)


def make_checkout(folder: Path) -> Path:
    """Copy the course to `folder`, with an environment that learn.py accepts as its own.

    The environment uses the packages of the environment that runs the tests, so that no test
    downloads anything. test_learn.py and .ci/run show that learn.py installs the packages.
    """
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=NOT_COPIED)
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
    """Return the environment variables of this process without those of pytest and Python.

    Args:
        more: variables to add.
    """
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
    """Run `python3 learn.py ARGUMENTS` of a checkout to its end.

    Args:
        folder: the checkout.
        arguments: arguments of learn.py.
        cwd: current folder of the process; the checkout by default.
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
    """Start `python3 learn.py ARGUMENTS` in a checkout, with stderr redirected to stdout."""
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
    """Return the output of a process up to the line with a text.

    Raises:
        AssertionError: the process ended before.
    """
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if text in line:
            return said
    raise AssertionError(f"ended without {text!r}:\n{said}")


def rest_of_output(process: subprocess.Popen[str]) -> str:
    """Return the output of a process up to its end, which it was asked for by a signal.

    Raises:
        AssertionError: it does not end.
    """
    for _ in range(60):
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=WAKE_INTERVAL)[0]
        wake(process.send_signal)
    raise AssertionError("it does not end")


def with_free_port(arguments: list[str]) -> list[str]:
    """Return the arguments with `--port` set to a free port."""
    kept = (one for one in arguments if not one.startswith("--port="))
    return [*kept, f"--port={free_port(0)}"]


@contextmanager
def serving(
    checkout: Path,
    arguments: list[str],
    line: str = "http://",
    env: Mapping[str, str] | None = None,
    quiet: bool = True,
) -> Iterator[str]:
    """Start a server, yield the address that it prints, and end it with SIGTERM.

    Args:
        checkout: the checkout.
        arguments: arguments of learn.py.
        line: text of the line with which the server says that it is ready.
        env: environment variables besides those of `clean_environment`.
        quiet: whether a traceback is a failure. Jupyter may print one when it ends beside a page.
    """
    with start_learn(checkout, *arguments, env=env) as process:
        try:
            said = read_until(process, line)
            address = re.search(r"http://\S+", said)
            assert address, said
            yield address[0]
            process.terminate()
            rest, _ = process.communicate(timeout=60)
            assert not quiet or "Traceback" not in said + rest, said + rest
            # Python ends a script by the signal; the chat and Jupyter handle it and exit with 0.
            codes = (1,) if sys.platform == "win32" else (0, -signal.SIGTERM)
            assert process.returncode in codes, said + rest
        finally:
            process.kill()


def fetch_page(address: str) -> str:
    """Return the body of a page. Retries, because Jupyter prints its address before it listens."""
    for attempt in itertools.count():
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                return str(answer.read().decode())
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError) or attempt == 10_000:
                raise
    raise AssertionError("unreachable")
