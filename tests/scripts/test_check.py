"""scripts/check runs the steps that are asked for, and its exit status says whether one failed."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.script_modules import load, path_of
from tests.support.script_server import ROOT

STATUS = "import sys; print('here', sys.argv[1], flush=True); sys.exit(int(sys.argv[2]))"


@pytest.fixture(name="check")
def _check() -> ModuleType:
    return load("check")


@pytest.fixture(name="play")
def _play(check: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the commands of the steps: `types` fails, and style has two, of which one fails."""

    def command(name: str, status: int) -> list[str]:
        return [sys.executable, "-c", STATUS, name, str(status)]

    played = [
        check.Step("style", [command("ruff", 0), command("format", 0)], [command("fix", 1)]),
        check.Step("types", [command("mypy", 3), command("more", 0)], []),
        check.Step("tests", [command("pytest", 0)], []),
    ]
    monkeypatch.setattr(check, "steps", lambda python: played)
    monkeypatch.setattr(check, "find_python", lambda: sys.executable)


def here(output: str) -> list[str]:
    """Return the commands that were run, in order."""
    return [line.split()[1] for line in output.splitlines() if line.startswith("here ")]


@pytest.mark.usefixtures("play")
class TestSteps:
    def test_all_steps_run_also_after_one_that_fails(
        self, check: ModuleType, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert check.main([]) == 1
        output = capfd.readouterr().out
        assert here(output) == ["ruff", "format", "mypy", "more", "pytest"]
        results = [line.split()[:2] for line in output.splitlines()[-3:]]
        assert results == [["style", "ok"], ["types", "FAILED"], ["tests", "ok"]]

    def test_the_steps_that_are_named_run_and_no_others(
        self, check: ModuleType, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert check.main(["tests", "style"]) == 0
        assert here(capfd.readouterr().out) == ["ruff", "format", "pytest"]
        assert check.main(["types"]) == 1

    def test_corrections_come_first_and_do_not_decide(
        self, check: ModuleType, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert check.main(["--fix", "style"]) == 0
        assert here(capfd.readouterr().out) == ["fix", "ruff", "format"]

    def test_the_list_runs_nothing_and_names_what_is_left_out(
        self, check: ModuleType, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert check.main(["--list"]) == 0
        output = capfd.readouterr().out
        assert not here(output)
        assert all(path in output for path in check.SLOW_TESTS)

    def test_an_unknown_step_is_a_wrong_argument(
        self, check: ModuleType, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as exit:
            check.main(["style", "typos"])
        assert exit.value.code == 2
        assert "no such step: typos; choose from style, types, tests" in capfd.readouterr().err


def test_without_an_environment_it_says_how_to_make_one(
    check: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(check, "ROOT", tmp_path)
    assert check.main([]) == 2
    assert "python3 learn.py test --version" in capsys.readouterr().err


def test_the_steps_are_the_commands_of_ci(check: ModuleType) -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    style, types, _tests = check.steps("$python")
    for command in style.commands + types.commands:
        assert " ".join(command) in ci


def test_fast_and_slow_tests_exist_and_the_slow_ones_are_among_the_fast(check: ModuleType) -> None:
    assert not [path for path in check.FAST_TESTS + check.SLOW_TESTS if not (ROOT / path).exists()]
    for path in check.SLOW_TESTS:
        assert any(path.startswith(folder + "/") for folder in check.FAST_TESTS), path
        assert f"--ignore={path}" in check.steps("python")[2].commands[0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode of execution")
def test_it_can_be_started() -> None:
    done = subprocess.run([path_of("check"), "--list"], capture_output=True, encoding="utf-8")
    assert done.returncode == 0
    assert "-m mypy" in done.stdout
