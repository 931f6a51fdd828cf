"""Every exercise of every lesson: the stub fails, right answers pass, wrong answers are told why.

lessons/NN/exercises/answers/NAME/ has answers that were written without looking at the check:
right_*.py have other shapes than the solution, wrong_*.py make typical mistakes. answers/wrong.toml
has further mistakes, each as one change of the solution. A wrong answer names texts that the report
must contain; in wrong_*.py they are comments: "# Told: ...".

CI (REQUIRE_SERVICES=1) checks every answer. Elsewhere the first right and the first wrong answer of
each exercise are checked, and its first change: the others take minutes more.
"""

import contextlib
import http.client
import os
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from course.checking.runner import CheckResult, run_check
from course.pages import step_pages
from tests.support import forked_python
from tests.support.script_server import serving
from tests.support.services import require_needs

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path.parent for path in ROOT.glob("lessons/*/exercises/exercises.toml"))
FIELDS = {"name", "title", "goal", "file", "check", "concepts", "hints"}


def entries(file: Path, table: str) -> list[dict[str, Any]]:
    return tomllib.loads(file.read_text(encoding="utf-8"))[table] if file.exists() else []


def first_of_each(params: list[Any], exercise: Callable[[Any], str]) -> list[Any]:
    """Return the first parameter of each exercise."""
    found: dict[tuple[Path, str], Any] = {}
    for param in params:
        found.setdefault((param.values[0], exercise(param)), param)
    return list(found.values())


EXERCISES = [
    pytest.param(folder, entry, id=f"{folder.parent.name}/{entry['name']}")
    for folder in FOLDERS
    for entry in entries(folder / "exercises.toml", "exercise")
]
WRONG = [
    pytest.param(folder, entry, id=f"{entry['exercise']}: {entry['what']}")
    for folder in FOLDERS
    for entry in entries(folder / "answers" / "wrong.toml", "wrong")
]
ANSWERS = [
    pytest.param(folder, entry, file, id=f"{folder.parent.name}/{entry['name']}/{file.stem}")
    for folder in FOLDERS
    for entry in entries(folder / "exercises.toml", "exercise")
    for file in sorted((folder / "answers" / entry["name"]).glob("*.py"))
]
if os.environ.get("REQUIRE_SERVICES") != "1":
    right = [one for one in ANSWERS if "/right_" in str(one.id)]
    wrong = [one for one in ANSWERS if "/wrong_" in str(one.id)]
    ANSWERS = [
        *first_of_each(right, lambda one: str(one.values[1]["name"])),
        *first_of_each(wrong, lambda one: str(one.values[1]["name"])),
    ]
    WRONG = first_of_each(WRONG, lambda one: str(one.values[1]["exercise"]))
each_exercise = pytest.mark.parametrize(("folder", "entry"), EXERCISES)


@pytest.fixture(autouse=True)
def _quick_start(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "win32":
        monkeypatch.setattr("course.checking.runner.start_worker", forked_python.start_check)


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


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_the_exercises_stand_in_the_order_of_the_pages(folder: Path) -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in step_pages(folder.parent))
    number = folder.parent.name[:2]
    reached = dict.fromkeys(re.findall(rf"learn\.py check {number}/([a-z]\w+)", pages))
    assert list(reached) == [
        each["name"] for each in entries(folder / "exercises.toml", "exercise")
    ]


def test_no_file_is_left_over() -> None:
    for folder in FOLDERS:
        named = {
            name
            for entry in entries(folder / "exercises.toml", "exercise")
            for name in (entry["file"], entry["check"], f"solutions/{entry['file']}")
        }
        own = [
            path for path in folder.rglob("*.py") if path.relative_to(folder).parts[0] != "answers"
        ]
        assert {path.relative_to(folder).as_posix() for path in own} == named


@each_exercise
def test_the_stub_is_short_and_says_todo(folder: Path, entry: dict[str, Any]) -> None:
    text = (folder / entry["file"]).read_text(encoding="utf-8")
    assert 20 <= len(text.splitlines()) <= 45
    assert "TODO" in text
    assert "TODO" not in (folder / "solutions" / entry["file"]).read_text(encoding="utf-8")


@each_exercise
def test_the_stub_fails_by_an_assertion(folder: Path, entry: dict[str, Any]) -> None:
    require_needs(folder / entry["check"])
    result = run_check(folder / entry["check"], folder / entry["file"])
    assert not result.problem, told(result)
    assert result.failures
    for failure in result.failures:
        labels = re.findall(r"^(sent|received|expected|advice)\b", failure.message, re.M)
        assert labels == ["sent", "received", "expected", "advice"], failure.message


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
    assert wrong["replace"] in solution, "the solution has changed: change wrong.toml too"
    copy = tmp_path / f"{wrong['exercise']}.py"
    copy.write_text(solution.replace(wrong["replace"], wrong["by"]), encoding="utf-8")
    result = run_check(folder / f"check_{wrong['exercise']}.py", copy)
    assert not result.passed
    for text in wrong["told"]:
        assert text in told(result)


def test_every_exercise_has_a_wrong_solution() -> None:
    for folder in FOLDERS:
        wrong = folder / "answers" / "wrong.toml"
        tried = {entry["exercise"] for entry in entries(wrong, "wrong")}
        for entry in entries(folder / "exercises.toml", "exercise"):
            assert entry["name"] in tried, f"give {entry['name']} one in {wrong}"


@pytest.mark.parametrize(("folder", "entry", "file"), ANSWERS)
def test_an_answer_of_somebody_else(
    folder: Path, entry: dict[str, Any], file: Path, tmp_path: Path
) -> None:
    require_needs(folder / entry["check"])
    copy = tmp_path / entry["file"]
    copy.write_bytes(file.read_bytes())
    result = run_check(folder / entry["check"], copy)
    if file.name.startswith("right_"):
        assert result.passed, told(result)
        return
    assert not result.passed
    expected = re.findall(r"^# Told: (.+)$", file.read_text(encoding="utf-8"), re.M)
    assert expected, "say what the report must contain: # Told: ..."
    for text in expected:
        assert text in told(result)


@each_exercise
def test_an_exercise_has_three_right_and_three_wrong_answers(
    folder: Path, entry: dict[str, Any]
) -> None:
    files = list((folder / "answers" / entry["name"]).glob("*.py"))
    for kind in ("right_", "wrong_"):
        assert len([file for file in files if file.name.startswith(kind)]) >= 3, kind


def test_every_answer_belongs_to_an_exercise() -> None:
    there = set(ROOT.glob("lessons/*/exercises/answers/**/*.py"))
    folders = {
        folder / "answers" / entry["name"]
        for folder in FOLDERS
        for entry in entries(folder / "exercises.toml", "exercise")
    }
    assert {file.parent for file in there} == folders
    assert all(file.name.startswith(("right_", "wrong_")) for file in there)


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
