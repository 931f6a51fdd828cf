"""Where learn.py and the runner meet Windows: each place is played on any system.

No test here runs on Windows itself; CI runs the others there, too (.github/workflows).
"""

import errno
import importlib.util
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from course.checking import runner
from course.testing.services import ServiceCase
from tests.support.checkout import ROOT


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """course.environment, as Windows loads it."""
    monkeypatch.setattr(sys, "platform", "win32")
    spec = importlib.util.spec_from_file_location("on_windows", ROOT / "course/environment.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_python_is_where_windows_has_it(windows: types.ModuleType) -> None:
    assert windows.PYTHON.relative_to(windows.VENV) == Path("Scripts", "python.exe")


def test_an_environment_has_copies_in_place_of_links(
    windows: types.ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only administrators may make links there.
    made: list[bool] = []
    monkeypatch.setattr("venv.create", lambda place, *, symlinks: made.append(symlinks))
    monkeypatch.setattr(windows, "VENV", tmp_path)
    monkeypatch.setattr(windows, "UNFINISHED", tmp_path / "unfinished")
    monkeypatch.setattr(windows, "add_pip", lambda: None)
    windows.create_venv()
    assert made == [False]


@pytest.mark.parametrize(
    ("number", "free"), [(0, True), (errno.EACCES, False), (errno.ENOLCK, True)]
)
def test_the_lock_is_that_of_msvcrt(
    windows: types.ModuleType, monkeypatch: pytest.MonkeyPatch, number: int, free: bool
) -> None:
    calls: list[tuple[int, ...]] = []

    def locking(*arguments: int) -> None:
        calls.append(arguments)
        if number:
            raise OSError(number, "refused")

    msvcrt = types.SimpleNamespace(LK_NBLCK=2, locking=locking)
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    assert windows.try_lock(5) is free
    assert calls == [(5, 2, 1)], "one byte, without waiting"


def test_a_program_is_waited_for_though_ctrl_c_comes(
    windows: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    # execv() on Windows ends the process at once, and the shell shows its prompt.
    wait, interrupts = subprocess.Popen.wait, [KeyboardInterrupt, KeyboardInterrupt]

    def interrupted(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        if interrupts:
            raise interrupts.pop()
        return wait(process, timeout)

    monkeypatch.setattr(os, "execv", None)
    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    assert windows.exec_command([sys.executable, "-c", "raise SystemExit(7)"]) == 7


def test_a_check_that_hangs_is_ended_with_all_it_has_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        commands: list[list[str]] = []

        def run(command: list[str], **_: object) -> None:
            commands.append(command)
            process.kill()

        monkeypatch.setattr(sys, "platform", "win32")
        monkeypatch.setattr(subprocess, "run", run)
        monkeypatch.delattr(os, "killpg")
        runner.terminate(process)
    assert commands == [["taskkill", "/T", "/F", "/PID", str(process.pid)]]


def test_nginx_is_started_where_nobody_is_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "geteuid")
    case = ServiceCase.__new__(ServiceCase)
    case.folder, case.front, case.port_block = tmp_path, 1, 0
    started: list[list[str]] = []
    subject = types.SimpleNamespace(NGINX="server {}")
    monkeypatch.setattr(case, "subject", subject, raising=False)
    monkeypatch.setattr(case, "find_program", lambda name, package: name)
    monkeypatch.setattr(case, "start", lambda command, port, **_: started.append(command))
    case.start_nginx(advice="NGINX")
    assert "user root" not in started[0][-1]
