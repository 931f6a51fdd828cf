"""Each decision has its sections and is in the index, and its figures are those of their source."""

import re
from pathlib import Path

import pytest

from tests.support.lesson_pages import ROOT, links, name_of

FOLDER = ROOT / "docs" / "decisions"
INDEX = FOLDER / "README.md"
DECISIONS = sorted(set(FOLDER.glob("*.md")) - {INDEX})
FIGURE = re.compile(
    r"^\| (?P<what>[^|]+) \| (?P<figure>[^|]+) \| \[[^]]+\]\((?P<source>[^)]+)\) \|$"
)


def figures(page: str) -> list[tuple[str, str]]:
    """Return each figure of a page, and the link to the file from which it is.

    Raises:
        ValueError: a row of a table has no source.
    """
    section = page.partition("\n## Figures\n")[2].partition("\n## ")[0]
    found = []
    for row in [line for line in section.splitlines() if line.startswith("| ")][1:]:
        if (match := FIGURE.match(row)) is None:
            raise ValueError(f"no figure with a source: {row}")
        found.append((match["figure"], match["source"]))
    return found


@pytest.mark.parametrize("page", DECISIONS, ids=name_of)
def test_a_decision_has_its_four_sections(page: Path) -> None:
    titles = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.M)
    assert titles == ["Context", "Decision", "Figures", "Rejected"]


@pytest.mark.parametrize("page", DECISIONS, ids=name_of)
def test_figures_are_in_their_source(page: Path) -> None:
    for figure, link in figures(page.read_text(encoding="utf-8")):
        source = (page.parent / link).read_text(encoding="utf-8")
        assert figure in source, f"{figure}: not in {link}"


def test_the_index_links_each_decision_once() -> None:
    linked = [link for link in links(INDEX) if re.fullmatch(r"\w+\.md", link)]
    assert sorted(linked) == [page.name for page in DECISIONS]


def test_the_figures_of_a_page_are_found_and_one_without_a_source_is_an_error() -> None:
    head = "\n## Figures\n\n| What | Figure | Source |\n|---|---|---|\n"
    assert figures(head + "| A read | 1 ms | [N](N.md) |\n\n## Rejected\n") == [("1 ms", "N.md")]
    with pytest.raises(ValueError, match="no figure with a source"):
        figures(head + "| A read | 1 ms | memory |\n")
