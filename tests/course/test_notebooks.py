"""`learn.py notebook`: a copy that is never overwritten, and JupyterLab as it is started."""

import json
import os
from pathlib import Path

import pytest

from course import notebooks

NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "source": "See [step 1](../lessons/01_hello/README.md)."},
        {"cell_type": "code", "source": 'path = "](../x)"'},
    ]
}


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "notebooks" / "01_hello.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    return path


def test_links_of_a_copy_lead_to_the_lessons(original: Path, tmp_path: Path) -> None:
    copy, kept = notebooks.copy_notebook(original, tmp_path)
    assert copy == tmp_path / "my_work" / "notebooks" / "01_hello.ipynb"
    assert kept is None
    text, code = json.loads(copy.read_text(encoding="utf-8"))["cells"]
    assert text["source"] == ["See [step 1](../../lessons/01_hello/README.md)."]
    assert code["source"] == 'path = "](../x)"'


def test_a_changed_copy_is_kept_and_replaced_only_when_asked(
    original: Path, tmp_path: Path
) -> None:
    copy, _ = notebooks.copy_notebook(original, tmp_path)
    copy.write_text("mine", encoding="utf-8")
    assert notebooks.copy_notebook(original, tmp_path) == (copy, None)
    assert copy.read_text(encoding="utf-8") == "mine"
    _, kept = notebooks.copy_notebook(original, tmp_path, again=True)
    assert kept
    assert kept.read_text(encoding="utf-8") == "mine"
    assert "cells" in copy.read_text(encoding="utf-8")


def test_jupyter_shows_the_course_asks_nobody_and_runs_as_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    command = notebooks.jupyter_command(tmp_path / "a.ipynb", tmp_path, ["--no-browser"])
    assert {"--allow-root", "--LabApp.news_url=None", "--no-browser"} <= set(command)
    assert f"--ServerApp.root_dir={tmp_path}" in command
    assert "--LabApp.default_url=/lab/tree/a.ipynb" in command
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    assert "--allow-root" not in notebooks.jupyter_command(tmp_path / "a.ipynb", tmp_path, [])
