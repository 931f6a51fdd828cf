"""The notes for instructors: every step, exercise and command in them is one of the course."""

import re
from pathlib import Path

import pytest

from course.catalog import Catalog, Script
from course.demo import sessions_of

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.parent for path in ROOT.glob("lessons/*/app.py"))
PARTS = [
    "Aims",
    "What learners must know",
    "Each step",
    "Questions, and the answers to expect",
    "Misconceptions behind typical errors",
    "A way through",
    "Without a network, or with blocked ports",
]
STEP = re.compile(r"^## Step (\d+): (.+?)$(.*?)(?=^## |\Z)", re.M | re.S)
STAGE = re.compile(r"^\| \[(\d+)\]\((\S+)\) \| (.+?) \| (\d+) \|$", re.M)
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.name)


def notes(lesson: Path) -> str:
    return (lesson / "INSTRUCTOR.md").read_text(encoding="utf-8")


def rows(lesson: Path) -> list[tuple[str, str, str, str]]:
    """The table of the steps: number, title, minutes, what to show."""
    return re.findall(r"^\| (\d+)\. (.+?) \| (\d+) \| (.+) \|$", notes(lesson), re.M)


def steps(lesson: Path) -> list[tuple[str, str, str]]:
    """The steps of the lesson's page, or its stages: number, title, text."""
    page = (lesson / "README.md").read_text(encoding="utf-8")
    stages = [
        (number, title, (lesson / file).read_text(encoding="utf-8"))
        for number, file, title, _ in STAGE.findall(page)
    ]
    return stages or STEP.findall(page)


def scripts(lesson: Path, number: str, text: str) -> set[str]:
    """The scripts of a step, as a command names them."""
    names = re.findall(r"^<!-- (?:session|excerpt|change): (\w+)\.py", text, re.M)
    if STAGE.search((lesson / "README.md").read_text(encoding="utf-8")):
        return {f"{lesson.name[:2]}/{number}"}
    return {lesson.name[:2] if name == "app" else f"{lesson.name[:2]}/{name}" for name in names}


def test_each_lesson_has_notes() -> None:
    assert [path.parent for path in sorted(ROOT.glob("lessons/*/INSTRUCTOR.md"))] == LESSONS


@each_lesson
def test_the_parts_are_complete(lesson: Path) -> None:
    text = notes(lesson)
    assert re.findall(r"^## (.+)$", text, re.M) == PARTS
    assert "**90 minutes.**" in text
    assert "**A day.**" in text
    assert len(re.findall(r"^\| `\d\d/\w+` \|", text, re.M)) >= 6


@each_lesson
def test_each_step_of_the_page_has_its_minutes(lesson: Path) -> None:
    assert [row[:2] for row in rows(lesson)] == [step[:2] for step in steps(lesson)]
    total = sum(int(minutes) for _, _, minutes, _ in rows(lesson))
    assert f"Together {total} minutes" in notes(lesson)
    stages = STAGE.findall((lesson / "README.md").read_text(encoding="utf-8"))
    if stages:
        assert [row[2] for row in rows(lesson)] == [minutes for *_, minutes in stages]
    else:
        assert 45 <= total <= 60


@each_lesson
def test_what_is_shown_and_practised_belongs_to_the_step(lesson: Path) -> None:
    for (number, _, _, shown), (_, _, text) in zip(rows(lesson), steps(lesson), strict=True):
        commands = re.findall(r"learn\.py (run|demo|break) ([\w/]+)", shown)
        assert {name for _, name in commands} <= scripts(lesson, number, text), (number, shown)
        for command, name in commands:
            assert command != "break" or re.search(rf"learn\.py break {name}\s", text), shown
        practised = re.findall(r"`(\d\d/\w+)`", shown.partition("Practice:")[2])
        assert set(practised) <= set(re.findall(r"learn\.py check (\d\d/\w+)", text)), shown


@each_lesson
def test_commands_and_exercises_exist(lesson: Path) -> None:
    """The tests of the pages run each demo and each break; test_scripts.py starts each script."""
    catalog = Catalog(ROOT)
    commands = re.findall(r"learn\.py (run|demo) ([\w/]+)", notes(lesson))
    assert commands
    for command, name in commands:
        script = catalog.find_runnable(name)
        assert isinstance(script, Script), name
        assert command == "run" or sessions_of(script.path), f"demo {name} shows nothing"
    for name in re.findall(rf"`({lesson.name[:2]}/\w+)`", notes(lesson)):
        assert catalog.select_exercises(name)[1], name
