"""Every exercise of every lesson on disk: the stub fails, the solution passes, wrong ones are told.

A lesson's plausible wrong solutions are in wrong/LESSON.toml, each as one change of the solution.
"""

import contextlib
import http.client
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from course.checks import CheckResult, run_check
from tests.lessons import forking
from tests.lessons.serving import serving
from tests.services import require_needs

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path.parent for path in ROOT.glob("lessons/*/exercises/exercises.toml"))
FIELDS = {"name", "title", "goal", "file", "check", "concepts", "hints"}


def entries(file: Path, table: str) -> list[dict[str, Any]]:
    return tomllib.loads(file.read_text(encoding="utf-8"))[table] if file.exists() else []


EXERCISES = [
    pytest.param(folder, entry, id=f"{folder.parent.name}/{entry['name']}")
    for folder in FOLDERS
    for entry in entries(folder / "exercises.toml", "exercise")
]
WRONG = [
    pytest.param(folder, entry, id=f"{entry['exercise']}: {entry['what']}")
    for folder in FOLDERS
    for entry in entries(Path(__file__).parent / "wrong" / f"{folder.parent.name}.toml", "wrong")
]
each_exercise = pytest.mark.parametrize(("folder", "entry"), EXERCISES)


@pytest.fixture(autouse=True)
def _quick_start(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "win32":
        monkeypatch.setattr("course.checks.start", forking.start_check)


def told(result: CheckResult) -> str:
    """Everything a learner would read."""
    problem = [f"{result.problem.kind}: {result.problem.message}"] if result.problem else []
    return "\n".join(problem + [f"{each.test}\n{each.message}" for each in result.failures])


def test_lessons_with_exercises_are_found() -> None:
    assert FOLDERS
    assert len(EXERCISES) >= 3 * len(FOLDERS)


@each_exercise
def test_the_catalogue_says_all_there_is_to_say(folder: Path, entry: dict[str, Any]) -> None:
    assert set(entry) == FIELDS
    assert entry["file"] == f"{entry['name']}.py"
    assert entry["check"] == f"check_{entry['name']}.py"
    assert all(re.fullmatch(r"C\d{3}", concept) for concept in entry["concepts"])
    assert entry["concepts"]


@each_exercise
def test_hints_go_from_a_nudge_to_nearly_the_answer(folder: Path, entry: dict[str, Any]) -> None:
    lengths = [len(hint) for hint in entry["hints"]]
    assert len(lengths) >= 2
    assert lengths == sorted(set(lengths)), "each hint says more than the one before"


def test_no_file_is_left_over() -> None:
    for folder in FOLDERS:
        named = {
            name
            for entry in entries(folder / "exercises.toml", "exercise")
            for name in (entry["file"], entry["check"], f"solutions/{entry['file']}")
        }
        assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")} == named


@each_exercise
def test_the_stub_is_short_and_says_todo(folder: Path, entry: dict[str, Any]) -> None:
    text = (folder / entry["file"]).read_text(encoding="utf-8")
    assert 20 <= len(text.splitlines()) <= 40
    assert "TODO" in text
    assert "TODO" not in (folder / "solutions" / entry["file"]).read_text(encoding="utf-8")


@each_exercise
def test_the_stub_fails_by_an_assertion(folder: Path, entry: dict[str, Any]) -> None:
    require_needs(folder / entry["check"])
    result = run_check(folder / entry["check"], folder / entry["file"])
    assert not result.problem, told(result)
    assert result.failures
    for failure in result.failures:
        labels = re.findall(r"^(sent|came|expected|look)\b", failure.message, re.M)
        assert labels == ["sent", "came", "expected", "look"], failure.message


@each_exercise
def test_the_solution_passes(folder: Path, entry: dict[str, Any], tmp_path: Path) -> None:
    require_needs(folder / entry["check"])
    # A learner's copy lies elsewhere, so it must not need its neighbours.
    copy = tmp_path / entry["file"]
    copy.write_bytes((folder / "solutions" / entry["file"]).read_bytes())
    result = run_check(folder / entry["check"], copy)
    assert result.passed, told(result)


@pytest.mark.parametrize(("folder", "wrong"), WRONG)
def test_a_wrong_solution_is_told_why(folder: Path, wrong: dict[str, Any], tmp_path: Path) -> None:
    require_needs(folder / f"check_{wrong['exercise']}.py")
    solution = (folder / "solutions" / f"{wrong['exercise']}.py").read_text(encoding="utf-8")
    assert wrong["replace"] in solution, "the solution has changed: change wrong/*.toml too"
    copy = tmp_path / f"{wrong['exercise']}.py"
    copy.write_text(solution.replace(wrong["replace"], wrong["by"]), encoding="utf-8")
    result = run_check(folder / f"check_{wrong['exercise']}.py", copy)
    assert not result.passed
    for text in wrong["told"]:
        assert text in told(result)


def test_every_exercise_has_a_wrong_solution() -> None:
    tried = {(param.values[0], param.values[1]["exercise"]) for param in WRONG}
    for param in EXERCISES:
        folder, entry = param.values
        wrong = f"give {param.id} one in tests/exercises/wrong/{folder.parent.name}.toml"
        assert (folder, entry["name"]) in tried, wrong


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to stop by")
@each_exercise
def test_the_stub_runs_as_a_server_and_stops(folder: Path, entry: dict[str, Any]) -> None:
    with serving(folder / entry["file"]) as server:
        assert server.output == f"Open {server.url}\n"
        with contextlib.closing(http.client.HTTPConnection("localhost", server.port, 10)) as client:
            client.request("GET", "/")
            assert client.getresponse().status in (200, 400, 404, 405)
        assert server.stop() == 0
        assert "Traceback" not in server.log
