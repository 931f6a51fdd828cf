"""`python -m course` in this process; test_learn.py shows the same with packages of its own."""

import runpy
import sys

import pytest

from course import __main__ as command
from course import environment


@pytest.fixture(name="_broken")
def _no_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the import of the command line fail."""
    monkeypatch.setattr(sys, "argv", ["course", "list"])
    monkeypatch.setitem(sys.modules, "course.cli", None)


@pytest.mark.usefixtures("_broken")
def test_a_damaged_package_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment, "find_damage", lambda: "ImportError: tiny")
    with pytest.raises(SystemExit) as end:
        command.main()
    assert end.value.code == environment.NOT_READY
    printed = capsys.readouterr().err
    assert printed.startswith("learn.py: a package is damaged: ImportError: tiny (")
    assert printed.count("\n") == 1


@pytest.mark.usefixtures("_broken")
def test_a_mistake_of_the_course_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_damage", lambda: "")
    with pytest.raises(ImportError, match=r"course\.cli"):
        command.main()


def test_the_chat_gets_its_options_and_needs_no_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "course.cli", None)
    monkeypatch.setattr(sys, "argv", ["course", "chat", "--port=0"])
    monkeypatch.setattr(runpy, "run_module", lambda name, **_options: print(name, sys.argv[1:]))
    command.main()
    assert capsys.readouterr().out == "capstone_chat ['--port=0']\n"
