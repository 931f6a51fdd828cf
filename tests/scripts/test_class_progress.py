"""The table of a class: who has solved what, from the files of the learners."""

import json
from pathlib import Path

import pytest

from course.catalog import Catalog
from scripts import class_progress

ROOT = Path(__file__).resolve().parents[2]
EXERCISE = next(iter(Catalog(ROOT).exercises()))


def store(path: Path, *, tries: int, hints: int, solved: bool) -> None:
    path.parent.mkdir(exist_ok=True)
    record = {"tries": tries, "hints": hints, "solved": solved}
    path.write_text(json.dumps({EXERCISE.key: record}), encoding="utf-8")


def test_files_and_folders_of_learners_become_one_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store(tmp_path / "ada.json", tries=1, hints=0, solved=True)
    store(tmp_path / "ben" / ".progress.json", tries=4, hints=2, solved=False)
    assert class_progress.main(tmp_path) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "2 learners: ada, ben"
    [row] = [line for line in shown if line.startswith(EXERCISE.label)]
    assert row.split() == [EXERCISE.label, "2", "1", "2.5", "1.0", "ben"]


def test_a_damaged_file_is_named_and_stays_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "eve.json"
    file.write_text('{"01_hello/allow_head": 1}', encoding="utf-8")
    assert class_progress.main(tmp_path) == 2
    assert "eve.json" in capsys.readouterr().err
    assert file.exists()


def test_an_empty_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert class_progress.main(tmp_path) == 2
    assert "has no file such as ada.json" in capsys.readouterr().err
