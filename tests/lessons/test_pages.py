"""The lessons' pages work where the system gives a wrong type to their scripts."""

import re
from pathlib import Path

import pytest

from tests.support.lesson_pages import LESSONS_FOLDER

PAGES = sorted(
    path for path in LESSONS_FOLDER.rglob("*.html") if "<script" in path.read_text("utf-8")
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(LESSONS_FOLDER)))
def test_a_script_is_no_module(page: Path) -> None:
    """Tornado asks the system for the type of a file. Programs on Windows change it in the registry
    to text/plain; then browsers run a script, but no module."""
    scripts = re.findall(r"<script\b[^>]*>", page.read_text(encoding="utf-8"))
    assert scripts
    assert not [script for script in scripts if "module" in script]
