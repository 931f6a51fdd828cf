"""Lesson 09: supervisor.conf keeps two processes and nginx running, as supervised.py starts it."""

import configparser
import http.client
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lesson_case import import_script
from tests.support.script_server import Server, serving

pytestmark = pytest.mark.service("nginx", "supervisor")

LESSON = "09_deployment"
FOLDER = Path(__file__).parents[2] / "lessons" / LESSON
proxy, supervised = import_script(LESSON, "proxy"), import_script(LESSON, "supervised")

EXTRA = """
[program:extra]
command=sleep 600
loglevel=info
no_such_key=whatever
startsecs=0

[program:hopeless]
command=false
startretries=0
"""


def test_a_process_that_does_not_answer_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without that the script would send SIGKILL to process 0: its own process group."""
    answers = iter([0, 0, 1234])
    monkeypatch.setattr(supervised, "answer", lambda port: next(answers))
    monkeypatch.setattr(supervised.time, "sleep", lambda seconds: None)
    assert supervised.process_at(8001) == 1234


def status_of(port: int, path: str) -> int:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request("GET", path)
    status = client.getresponse().status
    client.close()
    return status


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """supervised.py, as a learner starts it; what it leaves behind is looked at in the end."""
    with serving(FOLDER / "supervised.py") as server:
        folder = folder_of(server)
        yield server
        assert server.stop(signal.SIGTERM) == 0, server.log
        assert not folder.exists()
        assert not [port for port in [*ports_of(server), server.port] if proxy.listens(port)]


def folder_of(server: Server) -> Path:
    found = re.search(r"-c (\S+)/supervisor\.conf", server.output)
    assert found, server.output
    return Path(found[1])


def ports_of(server: Server) -> list[int]:
    found = re.search(r"Behind it: \[(\d+), (\d+)\]", server.output)
    assert found, server.output
    return [int(found[1]), int(found[2])]


class Control:
    """supervisorctl for the supervisord of this folder."""

    def __init__(self, folder: Path) -> None:
        self.command = supervised.supervisorctl(folder)

    def say(self, *words: str) -> str:
        done = subprocess.run([*self.command, *words], capture_output=True, encoding="utf-8")
        return done.stdout

    def processes(self) -> dict[str, int]:
        """The number of each process that runs."""
        running = re.findall(r"^(\S+) +RUNNING +pid (\d+)", self.say("status"), re.M)
        return {name: int(number) for name, number in running}


@pytest.fixture
def control(server: Server) -> Control:
    return Control(folder_of(server))


def test_a_kill_and_a_restart_lose_no_request(server: Server) -> None:
    """C261: the one is started again by itself, the other when asked."""
    for what in ("killed:   ", "restarted:"):
        told = re.search(rf"app:1 {what} (\d+) answered, (\d+) lost", server.output)
        assert told, server.output
        assert int(told[1]) >= 20
        assert int(told[2]) == 0


def test_one_part_of_the_file_is_two_processes(server: Server, control: Control) -> None:
    """C256, C259, C261"""
    processes = control.processes()
    told = [supervised.answer(port) for port in ports_of(server)]
    assert told == [processes["app:1"], processes["app:2"]]


def test_each_process_has_a_log_of_its_own(server: Server) -> None:
    """C260"""
    logs = [folder_of(server) / "logs" / f"app-{number}.log" for number in (1, 2)]
    for port, name in zip(ports_of(server), ("one", "two"), strict=True):
        assert status_of(port, f"/static/{name}") == 404
    for log, name in zip(logs, ("one", "two"), strict=True):
        while f"404 GET /static/{name}" not in log.read_text(encoding="utf-8"):
            pass  # it goes through a pipe of supervisord; pytest's timeout ends a wait in vain
    assert "404 GET /static/one" not in logs[1].read_text(encoding="utf-8")
    assert "404 GET /static/two" not in logs[0].read_text(encoding="utf-8")


def test_update_takes_what_has_changed_and_restarts_nothing_else(
    server: Server, control: Control
) -> None:
    """C259, C261: a key that supervisor does not know, loglevel too, is ignored without a word."""
    before = control.processes()
    assert set(before) == {"app:1", "app:2", "nginx"}
    conf = folder_of(server) / "supervisor.conf"
    text = conf.read_text(encoding="utf-8")
    try:
        conf.write_text(text + EXTRA, encoding="utf-8")
        assert "extra: added process group" in control.say("update")
        assert set(control.processes()) == {*before, "extra"}
        while "FATAL" not in (said := control.say("status", "hopeless")):
            assert re.search("STARTING|BACKOFF", said), said
        assert "Exited too quickly (process log may have details)" in said
    finally:
        conf.write_text(text, encoding="utf-8")
        assert "extra: removed process group" in control.say("update")
    assert control.processes() == before


def test_supervisor_is_a_program_of_the_system_not_of_this_environment() -> None:
    """C257: the system's package, or pip in an environment of its own; never sudo pip."""
    path = proxy.program("supervisord", "supervisor")
    said = subprocess.run([path, "--version"], capture_output=True, encoding="utf-8")
    assert int(said.stdout.partition(".")[0]) >= 4


def test_the_example_has_its_include_commented_out() -> None:
    """C258: both lines have to be uncommented, not only the second changed."""
    echo = shutil.which("echo_supervisord_conf", path=proxy.PLACES)
    assert echo
    example = subprocess.run([echo], capture_output=True, encoding="utf-8").stdout
    assert re.search(r"^;\[include\]\n;files = relative/directory/\*\.ini$", example, re.M)
    parsed = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(" ;",))
    parsed.read_string(example)
    assert "include" not in parsed


def test_several_processes_need_names_that_differ(tmp_path: Path) -> None:
    """C259"""
    proxy.release(tmp_path, 8000)
    conf = tmp_path / "supervisor.conf"
    lines = conf.read_text(encoding="utf-8").splitlines(keepends=True)
    conf.write_text("".join(line for line in lines if "process_name" not in line))
    path = proxy.program("supervisord", "supervisor")
    ended = subprocess.run(
        [path, "-c", str(conf)], capture_output=True, encoding="utf-8", timeout=60
    )
    assert ended.returncode != 0
    message = "%(process_num) must be present within process_name when numprocs > 1"
    assert message in ended.stdout + ended.stderr


def test_without_supervisord_supervisorctl_finds_no_socket(tmp_path: Path) -> None:
    """C261"""
    proxy.release(tmp_path, 8000)
    said = Control(tmp_path).say("status")
    assert f"unix://{tmp_path}/supervisor.sock no such file" in said
