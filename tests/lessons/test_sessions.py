"""What a README shows as output is what comes out.

    <!-- session: app.py -->           start the script; run each `$ curl ...` line; compare
    <!-- session: app.py --flag=1 -->  the same, with options
    <!-- change: app.py -->            a diff: `-` lines become the `+` lines, in a copy
    <!-- broken: app.py -->            a session with the changed copy
    <!-- command: tests.py -->        start the script, which ends by itself, by each line; compare
    <!-- log -->                       what the session before left in the server's terminal

A line `$ python3 learn.py run 01/app` shows what the script prints when it starts. `learn.py demo`
runs each session.
"""

import sys
from pathlib import Path

import pytest

from course.demo import BREAK_COMMAND, RUN_COMMAND, run_session, start_command
from course.pages import Session, Step, blocks, commands, matches_output, sessions, steps
from course.ports import free_port
from tests.support import forked_python
from tests.support.lesson_pages import STEP_PAGES, name_of
from tests.support.script_environment import servers_for
from tests.support.script_server import started
from tests.support.services import require_needs

KINDS = {"", "excerpt", "session", "command", "change", "broken", "log", "diff"}
SESSIONS = [session for page in STEP_PAGES for session in sessions(page)]
# The lessons that have the new form, which are those with a page that goes further.
STEPS = [
    step for page in STEP_PAGES if (page.parent / "FURTHER.md").exists() for step in steps(page)
]


@pytest.mark.parametrize("page", STEP_PAGES, ids=name_of)
def test_each_kind_of_block_is_known(page: Path) -> None:
    unknown = [f"{block}: {block.kind}" for block in blocks(page) if block.kind not in KINDS]
    assert not unknown


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_step_has_a_demo_and_its_output(step: Step) -> None:
    shown = [output for session in step.sessions() for _, output in session.commands]
    assert any(output.strip() for output in shown), f"{step} shows no command with its output"


@pytest.mark.parametrize("page", STEP_PAGES, ids=name_of)
def test_a_page_has_a_demo(page: Path) -> None:
    # The page of a stage has parts, not steps.
    assert sessions(page), f"{page} shows no command with its output"


@pytest.fixture
def _quick_start(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "win32":
        monkeypatch.setattr("course.demo.start_python", forked_python.start_server)
    # Tests run side by side: none of them may take the port that the pages name.
    monkeypatch.setattr("course.demo.free_port", lambda _wanted: free_port(0))


@pytest.mark.usefixtures("_quick_start")
@pytest.mark.service("curl")
@pytest.mark.parametrize("session", SESSIONS, ids=str)
def test_the_demo_of_a_session_prints_what_the_page_shows(session: Session) -> None:
    block = session.block
    require_needs(block.script)
    for command, _ in session.commands:
        if command.startswith((RUN_COMMAND, BREAK_COMMAND)):
            # A reader who pastes "run" below a change would see the script without the change.
            start = BREAK_COMMAND if session.changes else RUN_COMMAND
            started_by = start_command(block).replace(RUN_COMMAND, start)
            # A script that ends by itself is started with the options of each command.
            named = command if session.serves else command[: len(started_by)]
            assert named == started_by, f"{block} is about {block.source}"
        else:
            assert session.serves, f"{block}: only the script itself is started"
    with servers_for(block.script):
        for ran in run_session(session):
            what = ran.command or "the log"
            assert ran.matches_page, f"{block}\n$ {what}\nshown:\n{ran.shown}\nreal:\n{ran.output}"


def test_commands_and_their_output_are_told_apart() -> None:
    text = "$ curl one\nfirst\nsecond\n$ curl two\n$ curl three\nthird\n"
    assert list(commands(text)) == [
        ("curl one", "first\nsecond"),
        ("curl two", ""),
        ("curl three", "third\n"),
    ]


def test_dots_stand_for_what_differs() -> None:
    assert matches_output("Date: ...\n...\nend\n", "Date: today\r\na\r\nb\r\nend\r\n")
    assert not matches_output("Date: ...\nend\n", "Date: today\nmore\nend\n")
    assert not matches_output("moons: 2\n", "moons: 3\n")


def test_a_session_notices_a_server_that_does_not_start(tmp_path: Path) -> None:
    script = tmp_path / "crash.py"
    script.write_text("raise SystemExit('no such thing')\n", encoding="utf-8")
    with started(script) as server:
        assert not server.ready
        assert server.stop() == 1
        assert "no such thing" in server.log
