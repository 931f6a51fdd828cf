"""Every notebook runs afresh, says the same again, and leaves no server behind."""

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
    assert 25 <= len(read(path)["cells"]) <= 45
    for cell in code_cells(path):
        assert len(cell["source"].splitlines()) <= 15, cell["source"]


@each_notebook
def test_it_can_be_read_without_running(path: Path) -> None:
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = [kind for cell in cells for output in outputs(cell) for kind in output]
    assert len(PICTURES.intersection(kinds)) >= 1
    assert all(output["output_type"] != "error" for cell in cells for output in cell["outputs"])


@each_notebook
def test_each_section_asks_to_predict_and_asserts(path: Path) -> None:
    sections: list[str] = []
    for cell in read(path)["cells"]:
        if cell["cell_type"] == "markdown" and re.match(r"## \d", cell["source"]):
            sections.append("")
        if sections:
            sections[-1] += cell["source"] + "\n"
    assert sections
    for section in sections:
        assert "**Predict.**" in section, section[:60]
        assert re.search(r"^\s*assert ", section, re.M), section[:60]


@each_notebook
def test_it_serves_the_lesson_itself(path: Path) -> None:
    source = "\n".join(cell["source"] for cell in code_cells(path))
    assert "make_app(" in source
    assert "RequestHandler)" not in source, "import the handler, do not copy it"
    assert "asyncio.run(" not in source
    assert not re.search(r"(listen|bind_sockets)\([1-9]", source), "a free port is port 0"
    last = code_cells(path)[-1]["source"]
    assert ".stop()" in last
    assert "close_all_connections()" in last


@each_notebook
def test_nothing_of_the_machine_or_the_moment_is_stored(path: Path) -> None:
    assert re.search(MACHINE, "/" + "home/ada/work"), "the pattern itself works"
    for cell in code_cells(path):
        text = json.dumps(outputs(cell))
        assert not re.search(MACHINE, text), text
        assert set(cell["metadata"]) <= {"tags"}
    assert set(read(path)["metadata"]) == {"kernelspec", "language_info"}
