"""Links lead somewhere, pictures are there, pages are short, names of the API exist."""

import importlib
import re
from pathlib import Path
from urllib.parse import urldefrag

import pytest

from course.pages import blocks, step_pages
from tests.support.lesson_pages import (
    LESSONS,
    PAGES,
    READMES,
    ROOT,
    STEP_PAGES,
    anchors,
    links,
    name_of,
)

OFFICIAL = "https://www.tornadoweb.org/en/stable/"
DIAGRAMS = {"sequenceDiagram", "flowchart", "stateDiagram-v2", "graph", "classDiagram", "timeline"}

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
every_readme = pytest.mark.parametrize("page", READMES, ids=name_of)


@every_page
def test_relative_links_resolve(page: Path) -> None:
    for link in links(page):
        target, anchor = urldefrag(link)
        if ":" in target:
            continue
        path = (page.parent / target) if target else page
        assert path.exists(), f"{link}: no such file"
        if anchor:
            assert anchor in anchors(path), f"{link}: no such heading in {path.name}"


@every_page
def test_other_links_are_https(page: Path) -> None:
    absolute = [link for link in links(page) if ":" in link]
    assert not [link for link in absolute if not re.match(r"https://[\w.-]+/", link)]


@every_page
def test_links_to_the_official_documentation_name_what_exists(page: Path) -> None:
    for link in links(page):
        if "tornadoweb.org" not in link:
            continue
        address, anchor = urldefrag(link)
        assert re.fullmatch(rf"{re.escape(OFFICIAL)}((guide/)?\w+(-\w+)*\.html)?", address), link
        if anchor.startswith("tornado."):
            assert resolves(anchor), f"{link}: Tornado has no such name"
        if not address.startswith(OFFICIAL + "guide/"):
            module = address.removeprefix(OFFICIAL).removesuffix(".html")
            importlib.import_module(f"tornado.{module}" if module else "tornado")


def resolves(dotted: str) -> bool:
    """Whether a dotted name such as tornado.web.RequestHandler.write can be imported."""
    names = dotted.split(".")
    for count in range(len(names), 0, -1):
        try:
            found = importlib.import_module(".".join(names[:count]))
        except ImportError:
            continue
        for name in names[count:]:
            if not hasattr(found, name):
                return False
            found = getattr(found, name)
        return True
    return False


def test_a_misspelt_name_would_be_seen() -> None:
    assert resolves("tornado.web.RequestHandler.write")
    assert not resolves("tornado.web.RequestHandler.wriet")


@every_readme
def test_a_readme_has_a_picture(page: Path) -> None:
    pictures = [block for block in blocks(page) if block.language == "mermaid"]
    assert pictures
    for picture in pictures:
        assert picture.text.split()[0] in DIAGRAMS, f"{picture}: no known kind of diagram"


@pytest.mark.parametrize("lesson", LESSONS, ids=name_of)
def test_the_pages_of_a_lesson_lead_to_every_script(lesson: Path) -> None:
    prose = "".join(page.read_text(encoding="utf-8") for page in step_pages(lesson))
    assert not [path.name for path in lesson.glob("*.py") if path.name not in prose]


@pytest.mark.parametrize(
    "page", [page for page in STEP_PAGES if page.parent in LESSONS], ids=name_of
)
def test_a_page_shows_how_to_run_a_script_without_the_runner(page: Path) -> None:
    lesson = page.parent.name
    shown = re.findall(
        rf"^\.venv/bin/python (lessons/{lesson}/\w+\.py)", page.read_text(encoding="utf-8"), re.M
    )
    assert shown, f"{page} shows no script that is started with Python itself"
    assert all((ROOT / script).exists() for script in shown)
