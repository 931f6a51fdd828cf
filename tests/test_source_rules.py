"""Rules for the source of all packages: short functions, and no import from the tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = [
    "benchmarks",
    "capstone_chat",
    "course",
    "fault_injection",
    "notebooks",
    "scripts",
    "tests",
]
# What npm installs; and a migration is never edited once it has run.
LEFT_OUT = {"node_modules", "versions"}
FILES = [
    ROOT / "learn.py",
    ROOT / "scripts" / "bare_system",
    ROOT / "scripts" / "check",
    ROOT / "scripts" / "newest",
    *(
        path
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if LEFT_OUT.isdisjoint(path.relative_to(ROOT).parts)
    ),
]
LONGEST = 60
"""Lines from `def` to the last one, the docstring included and decorators left out."""


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the functions and methods of a file, those inside of others too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def test_no_function_is_too_long() -> None:
    long = [
        f"{file.relative_to(ROOT).as_posix()}:{function.lineno}: {function.name} has {lines} lines"
        for file in FILES
        for function in functions(file)
        if (lines := length(function)) > LONGEST
    ]
    assert not long, "\n".join(long)


def imports(source: str) -> set[str]:
    """Return the modules that a source file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_only_fault_injection_imports_from_the_tests_and_only_from_support() -> None:
    for file in FILES:
        folder = file.relative_to(ROOT).parts[0]
        if folder == "tests":
            continue
        found = {name for name in imports(file.read_text("utf-8")) if name.split(".")[0] == "tests"}
        if folder == "fault_injection":
            found = {name for name in found if not name.startswith("tests.support.")}
        assert not found, file


def test_imports_of_both_forms_are_found() -> None:
    source = "import tests.a\ndef f():\n    from tests import b\n    from tests.c import d\n"
    assert imports(source) == {"tests.a", "tests.b", "tests.c.d"}


def test_the_lines_of_a_function_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text("@property\ndef a(\n    self,\n):\n    async def b():\n        pass\n", "utf-8")
    assert [(f.name, length(f)) for f in functions(file)] == [("a", 5), ("b", 2)]


def test_the_glossary_has_at_most_40_entries_as_it_says() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    assert "at most 40 entries" in glossary.replace("\n", " ")
    assert glossary.count("\n| **") <= 40
