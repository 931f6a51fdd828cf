"""The pages of the lessons, their links and their headings (see CONTRIBUTING.md)."""

import re
from pathlib import Path

from course.pages import FENCE, step_pages

ROOT = Path(__file__).resolve().parents[2]
LESSONS_FOLDER = ROOT / "lessons"
LESSONS = sorted(path for path in LESSONS_FOLDER.glob("[0-9][0-9]_*") if path.is_dir())
READMES = [page for lesson in LESSONS if (page := lesson / "README.md").exists()]
# The pages that have steps: README.md and FURTHER.md of each lesson.
STEP_PAGES = [page for lesson in LESSONS for page in step_pages(lesson)]
PAGES = [
    *sorted(LESSONS_FOLDER.glob("*.md")),
    *STEP_PAGES,
    *sorted(LESSONS_FOLDER.glob("*/PRODUCTION.md")),
]
# A file test_NAME.py beside the script NAME.py has its tests: it is run, and ends by itself.
SCRIPTS = [
    script
    for lesson in LESSONS
    for script in sorted(lesson.glob("*.py"))
    if not script.name.startswith("test_")
]

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def name_of(path: Path) -> str:
    """Return a path as the id of a test, such as lessons/01_hello/app.py."""
    return path.relative_to(ROOT).as_posix()


def links(page: Path) -> list[str]:
    """Return the targets of all links and pictures of a page."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    return [first or second for first, second in LINK.findall(prose)]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of the headings of a page."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", prose, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
