"""docs/claims.md quotes what the documents say, and names tests, commands and files that exist."""

import re
from functools import cache

import pytest

from course.cli import app
from tests.support.lesson_pages import ROOT

PAGE = ROOT / "docs" / "claims.md"
DOCUMENTS = ["README.md", "benchmarks/README.md", "capstone_chat/README.md"]
DOCUMENTS += ["capstone_chat/SCALING.md"]

ROW = re.compile(r"^\| (?P<claim>.+) \| (?P<shown_by>[^|]+) \|$")
LINK = re.compile(r"!?\[([^]]*)\]\([^)]*\)")


def plain(text: str) -> str:
    """Return a text without its markup, with one space between words."""
    return " ".join(re.sub(r"[*`]", "", LINK.sub(r"\1", text)).split())


def claims(page: str) -> dict[str, list[tuple[str, str]]]:
    """Return the rows of each document, whose path is in the heading above them."""
    found: dict[str, list[tuple[str, str]]] = {}
    for section in page.split("\n## ")[1:]:
        document = re.match(r"\[[^]]+\]\(\.\./([^)]+)\)", section)
        assert document, section
        rows = [row for line in section.splitlines() if (row := ROW.match(line))]
        found[document[1]] = [(row["claim"], row["shown_by"]) for row in rows[1:]]
    return found


@cache
def quotable(document: str) -> str:
    return plain((ROOT / document).read_text(encoding="utf-8"))


def problems(document: str, claim: str, shown_by: str) -> list[str]:
    """Return what is wrong with a row: a quote that is gone, or references that are dead."""
    found = [] if plain(claim) in quotable(document) else [claim]
    references = re.findall(r"`([^`]+)`", shown_by)
    return found + [reference for reference in references or [""] if not exists(reference)]


def exists(reference: str) -> bool:
    """Return whether a test, a command, a file, or a text in a file or a folder exists."""
    if reference.startswith("python3 learn.py "):
        return reference.split()[2] in app.commands
    if reference.startswith("python -m "):
        module = ROOT / reference.split()[2].replace(".", "/")
        return module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()
    path, separator, text = reference.partition(": ")
    if separator:
        files = [ROOT / path, *(ROOT / path).glob("*.*")]
        return any(text in file.read_text(encoding="utf-8") for file in files if file.is_file())
    path, separator, test = reference.partition("::")
    file = ROOT / path
    if separator:
        return file.is_file() and f"def {test}(" in file.read_text(encoding="utf-8")
    return bool(path) and file.is_file()


ROWS = [
    (document, *row)
    for document, rows in claims(PAGE.read_text(encoding="utf-8")).items()
    for row in rows
]


def test_each_document_has_claims() -> None:
    assert sorted({document for document, _, _ in ROWS}) == DOCUMENTS


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_claim_is_in_its_document_and_what_shows_it_exists(document: str) -> None:
    rows = [row for row in ROWS if row[0] == document]
    assert [problem for row in rows for problem in problems(*row)] == []


def test_each_scenario_that_is_named_exists() -> None:
    commands = re.findall(r"`python -m fault_injection (\w+)`", PAGE.read_text(encoding="utf-8"))
    scenarios = {path.stem for path in (ROOT / "fault_injection" / "scenarios").glob("*.py")}
    assert set(commands) <= scenarios


@pytest.mark.parametrize(
    "reference",
    [
        "tests/test_gone.py",
        "tests/test_readme.py::test_gone",
        "tests/test_gone.py::test_links_and_pictures_are_there",
        "python3 learn.py gone",
        "python -m benchmarks.gone",
        "scripts/gone",
        "benchmarks/RESULTS.md: a million times",
        "benchmarks/GONE.md: 40.7",
        "",
    ],
)
def test_a_dead_reference_is_noticed(reference: str) -> None:
    claim = "With Python 3.11 or newer"
    assert problems("README.md", claim, "`tests/test_readme.py`") == []
    assert problems("README.md", claim, f"`{reference}`") == [reference]


def test_a_claim_that_is_gone_and_one_that_nothing_shows_are_noticed() -> None:
    page = "# T\n\n## [R](../README.md)\n\n| Claim | Shown by |\n|---|---|\n| Gone. | - |\n"
    (row,) = claims(page)["README.md"]
    assert problems("README.md", *row) == ["Gone.", ""]
