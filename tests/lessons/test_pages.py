"""Pages of the lessons: HTML runs its scripts everywhere; README.md counts its exercises."""

import re
from pathlib import Path

import pytest

from tests.support.lesson_pages import LESSONS_FOLDER

PAGES = sorted(
    path for path in LESSONS_FOLDER.rglob("*.html") if "<script" in path.read_text("utf-8")
)


# The lessons with a core and further steps.
READMES = [path.parent / "README.md" for path in sorted(LESSONS_FOLDER.glob("*/FURTHER.md"))]
NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(LESSONS_FOLDER)))
def test_a_script_is_no_module(page: Path) -> None:
    """The pages have no ES modules, which browsers do not run with the type text/plain.

    Tornado asks the system for the type of a file, and programs on Windows change that of .js in
    the registry to text/plain. Browsers run other scripts with this type.
    """
    scripts = re.findall(r"<script\b[^>]*>", page.read_text(encoding="utf-8"))
    assert scripts
    assert not [script for script in scripts if "module" in script]


@pytest.mark.parametrize("readme", READMES, ids=lambda page: page.parent.name)
def test_a_readme_says_how_many_exercises_there_are(readme: Path) -> None:
    text = readme.read_text(encoding="utf-8")
    for page, pattern in (
        (readme, r"with its (\w+) exercises"),
        (readme.with_name("FURTHER.md"), r"has (\w+) more exercises"),
    ):
        found = set(re.findall(r"learn\.py check (\d\d/\w+)", page.read_text(encoding="utf-8")))
        assert re.findall(pattern, text) == [NUMBERS[len(found)]], f"{page.name}: {found}"
