"""Every notebook runs afresh, says the same again, and leaves no server behind."""

import base64
import json
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.support import forked_python
from tests.support.services import require_needs

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PICTURES = {"image/png", "image/svg+xml"}
WIDEST = 1120
"""Pixels of a picture of 10 inches. In a window of 1280 pixels JupyterLab makes a wider one smaller
than text can be read on a projector."""
MACHINE = re.compile(
    r"(?<![\w.:])/(home|root|tmp|Users|usr|opt|var|work)/\w|\b[A-Z]:\\\\|ipykernel_"
)
# Appended to the copy that is run: what still accepts connections, the kernel's own aside.
LISTENING = """
import gc, socket
gc.collect()
left = [
    s.getsockname()
    for s in gc.get_objects()
    if isinstance(s, socket.socket) and s.fileno() != -1 and s.type == socket.SOCK_STREAM
    and s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
]
assert not left, f"still listening: {left}"
"""

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    """The notebook as it is stored, but each source as one text.

    Without nbformat, which each test process would import for two seconds: execute.py reads it with
    that.
    """
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def code_cells(path: Path) -> list[Any]:
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def outputs(cell: Any) -> list[dict[str, Any]]:
    """What a cell shows; of a picture only that it is there: its bytes depend on the machine."""
    return [
        {kind: "a picture" if kind in PICTURES else text for kind, text in output["data"].items()}
        if "data" in output
        else {"stream": output.get("name"), "text": output.get("text")}
        for output in cell["outputs"]
    ]


def execute(files: list[Path], cwd: Path) -> tuple[int, str]:
    """Run notebooks/execute.py in this folder; return its exit code and what it wrote."""
    command = [str(file) for file in (ROOT / "notebooks" / "execute.py", *files)]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log, forked_python.open_null() as stdin:
        if sys.platform == "win32":
            command.insert(0, sys.executable)
            code = subprocess.call(command, stdin=stdin, stdout=log, stderr=log, cwd=cwd)
        else:
            streams = [stdin.fileno(), log.fileno(), log.fileno()]
            process = forked_python.ForkedPython(
                command, streams, cwd, prepared="tests.notebooks.kernels"
            )
            try:
                code = process.wait()
            finally:
                process.send_signal(signal.SIGINT)  # if it still runs, its kernel ends with it
        log.seek(0)
        return code, log.read()


def test_notebooks_are_found() -> None:
    assert NOTEBOOKS


@each_notebook
def test_it_runs_afresh_from_any_folder_and_says_the_same(path: Path, tmp_path: Path) -> None:
    require_needs(path)
    source, target = tmp_path / "source.ipynb", tmp_path / "target.ipynb"
    notebook = read(path)
    nothing: dict[str, Any] = {"outputs": [], "execution_count": None}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(nothing)
    last = {"cell_type": "code", "id": "listening", "metadata": {}, "source": LISTENING}
    notebook["cells"].append(last | nothing)
    source.write_text(json.dumps(notebook), encoding="utf-8")
    # From a folder that is neither the notebook's nor the project's.
    code, log = execute([source, target], ROOT / "lessons")
    assert code == 0, log[-3000:]
    for stored, fresh in zip(code_cells(path), code_cells(target), strict=False):
        if "varies" not in stored["metadata"].get("tags", []):
            assert outputs(fresh) == outputs(stored), f"{stored['id']}: store the notebook anew"


@each_notebook
def test_it_has_the_size_of_a_lesson(path: Path) -> None:
    assert 25 <= len(read(path)["cells"]) <= 90
    for cell in code_cells(path):
        assert len(cell["source"].splitlines()) <= 18, cell["source"]


@each_notebook
def test_it_can_be_read_without_running(path: Path) -> None:
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = [kind for cell in cells for output in outputs(cell) for kind in output]
    assert len(PICTURES.intersection(kinds)) >= 1
    assert all(output["output_type"] != "error" for cell in cells for output in cell["outputs"])


def sections(path: Path) -> list[list[Any]]:
    """The cells of each numbered section."""
    found: list[list[Any]] = []
    for cell in read(path)["cells"]:
        if cell["cell_type"] == "markdown" and cell["source"].startswith("## "):
            if not re.match(r"## \d", cell["source"]):
                break
            found.append([])
        if found:
            found[-1].append(cell)
    return found


@each_notebook
def test_each_section_asks_to_predict_and_asserts(path: Path) -> None:
    assert sections(path)
    for section in sections(path):
        text = "\n".join(cell["source"] for cell in section)
        assert "**Predict.**" in text, text[:60]
        assert re.search(r"^\s*assert ", text, re.M) or "\njudge(" in text, text[:60]


@each_notebook
def test_it_begins_with_its_subject(path: Path) -> None:
    cells = read(path)["cells"]
    first = next(n for n, cell in enumerate(cells) if cell["source"].startswith("## 1"))
    before = "\n".join(c["source"] for c in cells[:first] if c["cell_type"] == "code")
    assert len([line for line in before.splitlines() if line]) <= 10


@each_notebook
def test_each_section_shows_the_code_that_it_is_about(path: Path) -> None:
    for section in sections(path):
        predict = next(n for n, cell in enumerate(section) if "**Predict.**" in cell["source"])
        shown = "\n".join(cell["source"] for cell in section[:predict])
        assert re.search(r"show\(|show_source\(|tables\.events", shown), shown[:60]


@each_notebook
def test_an_answer_is_folded_and_comes_after_the_prediction(path: Path) -> None:
    for section in sections(path):
        asked = False
        for cell in section:
            source, tags = cell["source"], cell["metadata"].get("tags", [])
            if source.startswith("**Predict.**"):
                asked = True
            elif source.startswith("<details><summary><b>The answer</b></summary>"):
                assert asked, source[:100]
                asked = False
            elif asked and cell["cell_type"] == "code" and cell["outputs"]:
                assert cell["metadata"].get("jupyter", {}).get("outputs_hidden"), source
            if "answer" in tags:
                assert cell["metadata"]["jupyter"].get("source_hidden"), source
                # JupyterLab shows the first line of a folded cell.
                assert source.startswith("# One answer\n"), source
        assert not asked, "a prediction without an answer"


@each_notebook
def test_a_task_is_open_and_its_answer_is_right(path: Path) -> None:
    for section in sections(path):
        [task] = [cell for cell in section if "turn" in cell["metadata"].get("tags", [])]
        [answer] = [cell for cell in section if "answer" in cell["metadata"].get("tags", [])]
        assert section.index(answer) == section.index(task) + 1
        before = section[: section.index(task)][-2:]
        assert any(cell["source"].startswith("**Your turn.**") for cell in before)
        assert "TODO" in task["source"]
        for cell, said in ((task, "Not yet: "), (answer, "Right: ")):
            [output] = cell["outputs"]
            assert "".join(output["text"]).startswith(said), cell["source"]


@each_notebook
def test_a_choice_is_not_printed_beside_the_right_one(path: Path) -> None:
    for cell in code_cells(path):
        source = cell["source"]
        if "turn" in cell["metadata"].get("tags", []) and re.search(r"^your_\w+ = ", source, re.M):
            assert not re.search(r"judge\((sorted\()?your_\w+(\[.*?\])?\)?,", source), source


@each_notebook
def test_shown_code_has_no_marks_of_regions(path: Path) -> None:
    for cell in code_cells(path):
        assert not re.search(r"# (end)?region\b", json.dumps(cell["outputs"])), cell["source"]


@each_notebook
def test_a_picture_says_what_to_see(path: Path) -> None:
    for section in sections(path):
        drawn = any("axes.set_title" in c["source"] for c in section if c["cell_type"] == "code")
        told = any("**In the picture:**" in cell["source"] for cell in section)
        assert told or not drawn, section[0]["source"][:60]


@each_notebook
def test_its_pictures_can_be_read_on_a_projector(path: Path) -> None:
    shown = [output.get("data", {}) for cell in code_cells(path) for output in cell["outputs"]]
    heads = [base64.b64decode(data["image/png"][:44]) for data in shown if "image/png" in data]
    assert heads
    for head in heads:
        assert int.from_bytes(head[16:20]) <= WIDEST


@each_notebook
def test_its_links_lead_to_steps_and_exercises(path: Path) -> None:
    text = "\n".join(c["source"] for c in read(path)["cells"] if c["cell_type"] == "markdown")
    links = re.findall(r"\]\(([^)#\s]+)(?:#([^)\s]+))?\)", text)
    assert links
    for target, anchor in links:
        page = (path.parent / target).resolve()
        assert page.is_file(), target
        headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
        slugs = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
        assert not anchor or anchor in slugs, f"{target}#{anchor}"
    named = set(re.findall(r"`(\d\d/\w+)`", text))
    number = path.stem[:2]
    if number.isdigit():
        wanted = {path.stem for path in (ROOT / "lessons" / path.stem / "exercises").glob("*.py")}
        assert named, "no exercise is named"
        assert {name.partition("/")[2] for name in named if name.startswith(number)} <= wanted


@each_notebook
def test_it_serves_the_lesson_itself(path: Path) -> None:
    source = "\n".join(cell["source"] for cell in code_cells(path))
    assert re.search(r"make_app\(|start_chat\(\)|\bChat\(\d", source)
    assert "asyncio.run(" not in source
    assert not re.search(r"(listen|bind_sockets)\([1-9]", source), "a free port is port 0"
    last = code_cells(path)[-1]["source"]
    assert "await stop(" in last or ".stop()" in last


@each_notebook
def test_nothing_of_the_machine_or_the_moment_is_stored(path: Path) -> None:
    assert re.search(MACHINE, "/" + "home/ada/work"), "the pattern itself works"
    for cell in code_cells(path):
        text = json.dumps(outputs(cell))
        assert not re.search(MACHINE, text), text
        assert set(cell["metadata"]) <= {"tags", "jupyter"}
    assert set(read(path)["metadata"]) == {"kernelspec", "language_info"}
