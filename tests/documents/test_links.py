"""Links of the documents lead to files and headings that exist. Lessons have their own test."""

import re
from pathlib import Path
from urllib.parse import urldefrag

import pytest

from tests.support.lesson_pages import ROOT, anchors, links, name_of

FOLDERS = ["", "benchmarks", "binder", "capstone_chat", "capstone_chat/deploy", "docs"]
FOLDERS += ["docs/decisions", "fault_injection", "notebooks", "requirements", "scripts"]
PAGES = sorted(page for folder in FOLDERS for page in (ROOT / folder).glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for link in links(page):
        target, anchor = urldefrag(link)
        if target.startswith("https://"):
            continue
        path = (page.parent / target) if target else page
        assert path.exists(), f"{link}: no such file"
        if anchor:
            assert anchor in anchors(path), f"{link}: no such heading in {path.name}"


def test_the_documents_are_found() -> None:
    found = {name_of(page) for page in PAGES}
    assert {"README.md", "SECURITY.md", "docs/glossary.md", "capstone_chat/README.md"} <= found


def test_the_files_that_contributing_names_exist() -> None:
    """In its lists of what to change for an addition; names in capitals are the reader's own."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("\n## How do I add ...\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([\w./]+/[\w./]*)`", section))
    named |= set(re.findall(r" ((?:tests|fault_injection)/[\w./]+)", section))
    fixed = {path for path in named if not re.search(r"N[NA]|SCRIPT", path)}
    assert len(fixed) > 25
    assert not [path for path in sorted(fixed) if not (ROOT / path).exists()]
