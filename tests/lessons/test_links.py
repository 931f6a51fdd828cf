"""Links lead somewhere, pictures are there, pages are short, names of the API exist."""

import importlib
import re
from pathlib import Path
from urllib.parse import urldefrag

import pytest

from tests.lessons.prose import PAGES, READMES, anchors, blocks, links, name_of

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


@every_readme
def test_a_readme_is_short(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").splitlines()) <= 200


@every_readme
def test_a_readme_leads_to_every_script(page: Path) -> None:
    prose = page.read_text(encoding="utf-8")
    assert not [path.name for path in page.parent.glob("*.py") if path.name not in prose]
