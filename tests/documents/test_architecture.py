"""The names in docs/architecture.md and in the decisions are those of the code."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.lesson_pages import ROOT, name_of

PAGE = ROOT / "docs" / "architecture.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
HOUSE = ROOT / "capstone_chat"
SCRIPTS = HOUSE / "static" / "js"
TEXT = PAGE.read_text(encoding="utf-8")

CODE = re.compile(r"`([^`\n]+)`")
DOTTED = re.compile(r"(\w+)\.(#?\w+)")
CLASS = re.compile(r"[A-Z]\w*[a-z]\w*")
FILE = re.compile(r"[\w./@-]+\.(?:py|js|md)|[\w/]+/")
OTHERS = {"Origin", "Session", "msgspec.Struct", "RequestHandler.detach"}
"""Names on these pages that are not of the chat: a header, and parts of libraries."""


def tree(page: str) -> dict[str, bool]:
    """Return the paths in the tree of the page; the value tells whether it is a folder."""
    block = page.partition("## The tree")[2].partition("```text\n")[2].partition("```")[0]
    found: dict[str, bool] = {}
    parents: list[str] = []
    for line in block.splitlines():
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        parents[depth:] = [name.rstrip("/")]
        found["/".join(parents)] = name.endswith("/")
    return found


def python_names() -> set[str]:
    """Return Class, Class.member and module.name for all Python files of the chat."""
    found = set()
    for path in HOUSE.rglob("*.py"):
        module = ast.parse(path.read_text(encoding="utf-8"))
        found |= {f"{path.stem}.{name}" for name in members(module)}
        for node in module.body:
            if isinstance(node, ast.ClassDef):
                found |= {node.name, *(f"{node.name}.{name}" for name in members(node))}
    return found


def members(node: ast.Module | ast.ClassDef) -> set[str]:
    """Return the names that a module or a class defines."""
    found = set()
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(child.name)
        elif isinstance(child, ast.Assign):
            found |= {target.id for target in child.targets if isinstance(target, ast.Name)}
        elif isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
            found.add(child.target.id)
    return found


def script_names() -> set[str]:
    """Return Class and Class.method for all scripts of the page; a private method has its #."""
    found = set()
    for path in SCRIPTS.rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        for owner, body in re.findall(r"^export class (\w+)[^{]*\{\n(.*?)^\}", text, re.M | re.S):
            methods = re.findall(r"^  (?:async |static |get |set )*(#?\w+)\(", body, re.M)
            found |= {owner, *(f"{owner}.{method}" for method in methods)}
    return found


def unknown_names(page: str) -> list[str]:
    """Return what a page names in code font as a class, a function or a file, and is not there."""
    known = python_names() | script_names() | OTHERS
    found = []
    for code in CODE.findall(re.sub(r"^```.*?^```", "", page, flags=re.M | re.S)):
        name = code.removesuffix("()")
        if FILE.fullmatch(name):
            places = (ROOT / name, HOUSE / name, SCRIPTS / name)
            if not any(place.exists() for place in places):
                found.append(name)
        elif (DOTTED.fullmatch(name) or CLASS.fullmatch(name)) and name not in known:
            found.append(name)
    return found


def test_each_path_of_the_tree_exists() -> None:
    for path, is_folder in tree(TEXT).items():
        assert (ROOT / path).is_dir() == is_folder, path
        assert (ROOT / path).exists(), path


def test_each_package_and_each_file_of_the_chat_is_in_the_tree() -> None:
    named = tree(TEXT)
    for path in HOUSE.rglob("*.py"):
        if "migrations" in path.parts:
            continue
        there = path.parent if path.name == "__init__.py" else path
        assert name_of(there) in named, name_of(there)


@pytest.mark.parametrize("page", [PAGE, *DECISIONS], ids=name_of)
def test_each_name_exists(page: Path) -> None:
    assert unknown_names(page.read_text(encoding="utf-8")) == []


def test_a_name_that_is_gone_is_noticed() -> None:
    page = "`Hub`, `Hub.deliver`, `Sync.#handleFrame`, `protocol.decode`, `storage/sql.py`\n"
    assert unknown_names(page) == []
    gone = ["Hob", "Hub.hear", "Sync.#take", "Sync.handleFrame", "protocol.encipher", "bus.py"]
    assert unknown_names(", ".join(f"`{name}`" for name in gone)) == gone
