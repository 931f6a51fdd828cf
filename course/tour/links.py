"""Links of the Markdown pages, resolved to addresses of the tour."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urldefrag

from course.tour.outline import REPLACED_BY_MAP, Chapter, Outline, Place
from course.tour.sessions import file_id

HEADING = re.compile(r"^##+ (.+)$", re.M)


@dataclass(frozen=True)
class Link:
    """The destination of a link in the tour.

    Attributes:
        address: the address, or "" if the tour has no such page.
        file: the id of a file that the workbench can open, or "".
    """

    address: str
    file: str = ""


def anchor(heading: str) -> str:
    """Return the id of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def resolve_link(outline: Outline, page: Path, target: str, step: int = 0) -> Link:
    """Return where a link of a document leads.

    Args:
        outline: the places of the course.
        page: the document.
        target: the target of the link: a relative path, a fragment, or both.
        step: the number of the step that the text behind the link names, or 0.
    """
    name, fragment = urldefrag(target)
    path = outline.linked_file(page, name) if name else page
    if path is None:
        return Link("")
    if path in {outline.root / replaced for replaced in REPLACED_BY_MAP}:
        return Link(outline.home.address)
    if chapter := outline.chapter_of_page(path):
        return Link(_address_in_chapter(chapter, step, fragment))
    link = link_to_file(outline, page, path)
    return Link(f"{link.address}#{fragment}", link.file) if fragment and link.address else link


def link_to_file(outline: Outline, page: Path, path: Path) -> Link:
    """Return the link from a document to a file that is no page of a lesson."""
    address = f"/file/{path.relative_to(outline.root).as_posix()}"
    lessons = [each.lesson for each in outline.lessons]
    lesson = next((each for each in lessons if page.is_relative_to(each.folder)), None)
    identifier = ""
    if lesson and path.is_file() and path.suffix != ".md" and path.is_relative_to(lesson.folder):
        identifier = file_id(lesson, path)
    return Link(address if outline.has(address) else "", identifier)


def _address_in_chapter(chapter: Chapter, step: int, fragment: str) -> str:
    for place in chapter.places:
        if place.part is None:
            continue
        if (step and place.part.number == step) or (fragment and fragment == _own_anchor(place)):
            return place.address
        if fragment and fragment in map(anchor, HEADING.findall(place.part.text)):
            return f"{place.address}#{fragment}"
    return chapter.address


def _own_anchor(place: Place) -> str:
    numbered = place.label.startswith("Step ")
    return anchor(f"{place.label}: {place.title}" if numbered else place.title)
