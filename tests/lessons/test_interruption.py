"""SIGTERM ends a script however it was started, and with it all programs that it has started.

A shell script ignores SIGINT in what it starts with `&`, so a script in the background cannot be
ended by Ctrl-C, nor by a handler of SIGTERM that raises SIGINT.
"""

import os
import select
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lesson_pages import ROOT, name_of
from tests.support.script_environment import servers_for
from tests.support.script_server import ignored_interrupts, serving
from tests.support.services import require_needs

END_LIMIT = 20  # seconds until what a script has started has ended
# 09/supervised is ended so in test_09_deployment_supervisor.py.
STARTING = [
    ROOT / "lessons" / name
    for name in (
        "01_hello/processes.py",
        "09_deployment/alone.py",
        "09_deployment/broker.py",
        "09_deployment/proxy.py",
        "09_deployment/sockets.py",
    )
]
# One of each way in which the tests start a program and end it by a signal of the keyboard.
BY_INTERRUPT = [
    "tests/lessons/test_scripts.py::test_it_stops_on_ctrl_c[lessons/01_hello/make_app.py]",
    "tests/course/test_script_launcher.py::test_a_server_ends_quietly",
    "tests/course/test_command_checks.py::test_a_started_program_is_asked_and_ended",
    # This one plays Ctrl-Break of Windows by SIGQUIT.
    "tests/capstone/test_windows.py::StartTest::test_ctrl_break_is_a_clean_stop",
]


def started_by(pid: int) -> Iterator[int]:
    """The processes that a process has started, and those that these have."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            yield int(child)
            yield from started_by(int(child))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists the children of a process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("script", STARTING, ids=name_of)
def test_what_a_script_has_started_ends_with_it(script: Path, number: signal.Signals) -> None:
    require_needs(script)
    with servers_for(script), serving(script, new_python=True) as server:
        urllib.request.urlopen(server.url, timeout=30).close()  # then it has started them
        files = [os.pidfd_open(pid) for pid in started_by(server.pid)]
        try:
            assert files, "it starts at least one"
            server.stop(number)
            for file in files:
                # A file of a process becomes readable when the process ends.
                assert select.select([file], [], [], END_LIMIT)[0], server.log
        finally:
            for file in files:
                os.close(file)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists the children of a process")
@pytest.mark.parametrize("name", ["alone.py", "broker.py"])
def test_only_the_first_process_acts_on_ctrl_c(name: str) -> None:
    """A terminal sends Ctrl-C to both processes; the second one waits for SIGTERM of the first."""
    script = ROOT / "lessons/09_deployment" / name
    require_needs(script)
    with servers_for(script), serving(script, new_python=True) as server:
        [second] = started_by(server.pid)
        status = Path(f"/proc/{second}/status").read_text(encoding="ascii")
        ignored = int(status.partition("SigIgn:")[2].split()[0], base=16)  # bit 0 is signal 1
        assert ignored >> (signal.SIGINT - 1) & 1, status
        file = os.pidfd_open(second)
    # Nothing has asked the script to end: it was killed, and what it had started with it.
    try:
        assert select.select([file], [], [], END_LIMIT)[0]
    finally:
        os.close(file)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_an_application_in_the_background_answers_before_it_ends() -> None:
    app = ROOT / "lessons/09_deployment/app.py"
    with ignored_interrupts(), serving(app, new_python=True) as server:
        assert server.stop(signal.SIGTERM) == 0, server.log


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_the_tests_pass_in_the_background_of_a_shell_script() -> None:
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-n0", *BY_INTERRUPT]
    done = subprocess.run(
        ["sh", "-c", '"$@" & wait $!', "sh", *pytest_],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
    )
    assert done.returncode == 0, done.stdout
    assert f"{len(BY_INTERRUPT)} passed" in done.stdout
