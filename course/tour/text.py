"""The pages of the tour: their text as HTML, and their data for the script of the page."""

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tornado.template import Loader

from course.catalog import Catalog, Exercise, Lesson
from course.pages import FENCE, Block, Step
from course.progress import ExerciseProgress
from course.tour.elements import element, text_element
from course.tour.links import Link, link_to_file, resolve_link
from course.tour.markdown import (
    Context,
    code_block,
    plain_text,
    render_inline,
    render_markdown,
)
from course.tour.outline import (
    FURTHER,
    LessonOutline,
    Outline,
    Place,
    UnknownAddressError,
    outline,
)
from course.tour.sessions import (
    describe_file,
    describe_session,
    file_id,
    files_of,
    find_session,
    session_id,
)

__all__ = ["Page", "UnknownAddressError", "find_session", "outline", "page", "render"]

TEMPLATES = Path(__file__).parent / "templates"
TERMINAL = re.compile(r"\bterminals?\b|Ctrl-C")
WITH_WORKBENCH = {"step", "exercise"}
"""The kinds of pages that have a workbench beside the text."""


@dataclass(frozen=True)
class Page:
    """A page of the tour.

    Attributes:
        place: what the page shows, and its address.
        title: the title as plain text.
        heading: the title as HTML.
        html: the text below the title.
        data: what the script of the page needs (the element with the id `page`).
        previous, next: the addresses of the pages before and after it, or None.
    """

    place: Place
    title: str
    heading: str
    html: str
    data: dict[str, Any]
    previous: str | None
    next: str | None

    @property
    def has_workbench(self) -> bool:
        """Whether the page has an editor and results beside its text: if it has a file for them."""
        return self.place.kind in WITH_WORKBENCH and bool(self.data["files"])

    @property
    def speaks_of_terminals(self) -> bool:
        """Whether the text tells the reader to use a terminal, for which the tour has buttons."""
        prose = FENCE.sub("", self.place.part.text) if self.place.part else ""
        return self.has_workbench and bool(TERMINAL.search(prose))

    @property
    def json(self) -> str:
        """The data for the element `<script type="application/json">`, which must not hold `<`."""
        return json.dumps(self.data, ensure_ascii=False).replace("<", "\\u003c")


def page(
    catalog: Catalog, address: str, records: dict[str, ExerciseProgress] | None = None
) -> Page:
    """Return the page at an address.

    Args:
        catalog: the course.
        address: the address, such as `/01/2`.
        records: the learner's progress, for the state of an exercise.

    Raises:
        UnknownAddressError: there is no such page.
    """
    whole = outline(catalog)
    place = whole.place(address)
    title = plain_text(place.title)
    html = ""
    files: list[dict[str, str]] = []
    sessions: list[dict[str, Any]] = []
    if place.part and place.lesson:
        html, files, sessions = _render_part(whole, place, place.lesson, place.part)
    elif place.exercise:
        exercise = place.exercise
        html = _render_goal(exercise.goal)
        files = [describe_file(f"exercise:{exercise.label}", exercise.work_file)]
    elif place.file:
        html = _render_file(whole, place.file)
    before, after = whole.neighbours(place)
    previous_address = before.address if before else None
    next_address = after.address if after else None
    data: dict[str, Any] = {
        "kind": place.kind,
        "address": place.address,
        "title": title,
        "next": next_address,
        "previous": previous_address,
        "files": files,
        "sessions": sessions,
        "exercise": describe_exercise(place.exercise, records or {}) if place.exercise else None,
    }
    if place.kind == "map":
        data["lessons"] = [_describe_lesson(lesson) for lesson in whole.lessons]
    heading = render_inline(place.title)
    if place.file and place.file.suffix != ".md":
        heading = heading.replace("/", "/<wbr>")  # a long path breaks between its parts
    return Page(place, title, heading, html, data, previous_address, next_address)


def describe_exercise(exercise: Exercise, records: dict[str, ExerciseProgress]) -> dict[str, Any]:
    """Return the data of an exercise, with its state: "to do", "begun" or "solved"."""
    record = records.get(exercise.key, ExerciseProgress())
    state = "begun" if record.tries or exercise.work_file.exists() else "to do"
    return {
        "label": exercise.label,
        "title": exercise.title,
        "goal": exercise.goal.strip(),
        "hints": len(exercise.hints),
        "state": "solved" if record.solved else state,
    }


def _describe_lesson(lesson: LessonOutline) -> dict[str, Any]:
    """Return the data of a lesson for the map.

    `minutes` is the longer time of two; it is the time for `core`, the places that a first reading
    needs.
    """
    number, hours = 0, "hours" in lesson.duration
    if numbers := re.findall(r"\d+", lesson.duration):
        number = int(numbers[-1]) * (60 if hours else 1)
    return {
        "number": lesson.lesson.number,
        "minutes": number,
        "core": [
            place.address
            for chapter in lesson.chapters
            if chapter.page.name != FURTHER
            for place in chapter.places
        ],
    }


def render(catalog: Catalog, shown: Page, *, tour: bool = True) -> str:
    """Return a page as an HTML document.

    Args:
        catalog: the course.
        shown: the page.
        tour: True for the running tour, False for the site, which runs nothing.
    """
    whole = outline(catalog)
    template = shown.place.kind if shown.place.kind in ("map", "exercise") else "step"
    document: bytes = (
        _loader()
        .load(f"{template}.html")
        .generate(
            page=shown,
            place=shown.place,
            outline=whole,
            chapter=whole.chapter(shown.place),
            lesson=whole.lesson(shown.place),
            plain_text=plain_text,
            tour=tour,
        )
    )
    return document.decode()


def render_other(template: str, title: str, *, tour: bool = False) -> str:
    """Return a page that is no place of the course: the search of the site, an unknown address."""
    place = Place("", "other", "", title)
    data = {"kind": "other", "address": "", "title": title, "files": [], "sessions": []}
    shown = Page(place, title, title, "", data, None, None)
    document: bytes = (
        _loader()
        .load(template)
        .generate(
            page=shown, place=place, lesson=None, chapter=None, plain_text=plain_text, tour=tour
        )
    )
    return document.decode()


def is_document(place: Place) -> bool:
    """Return whether a place is a document, such as TROUBLESHOOTING.md, and no source file."""
    return place.file is not None and place.file.suffix == ".md"


@functools.cache
def _loader() -> Loader:
    return Loader(str(TEMPLATES), whitespace="all")


def _render_part(
    whole: Outline, place: Place, lesson: Lesson, part: Step
) -> tuple[str, list[dict[str, str]], list[dict[str, Any]]]:
    """Return the HTML of a part of a page, its files and its sessions."""
    found = part.sessions()
    ids = {
        session.block.line: session_id(place.address, index) for index, session in enumerate(found)
    }
    ids |= {change.line: ids[session.block.line] for session in found for change in session.changes}
    blocks = {_line_in(part, block): block for block in part.blocks()}
    context = Context(
        blocks=blocks,
        sessions={line: ids[each.line] for line, each in blocks.items() if each.line in ids},
        link=lambda target, step: resolve_link(whole, part.page, target, step),
        file_link=lambda block: link_to_file(whole, part.page, block.script.resolve()),
        exercise=whole.exercise_title,
    )
    html = render_markdown(part.text, context)
    linked = [path for target in context.linked if (path := whole.linked_file(part.page, target))]
    files = [describe_file(file_id(lesson, path), path) for path in files_of(lesson, part, linked)]
    sessions = [describe_session(lesson, ids[session.block.line], session) for session in found]
    return html, files, sessions


def _line_in(part: Step, block: Block) -> int:
    """Return the line of a block's fence in the text of a part, counted from 0."""
    fence = block.line + (1 if block.kind else 0)
    return fence - part.first - 1


def _render_goal(goal: str) -> str:
    """Return the goal of an exercise, which is plain text with empty lines between paragraphs."""
    paragraphs = re.split(r"\n\s*\n", goal.strip())
    return "".join(text_element("p", paragraph) + "\n" for paragraph in paragraphs)


def _render_file(whole: Outline, path: Path) -> str:
    """Return a document as text, a source file as code, or the list of the files of a folder."""
    if path.is_dir():
        links = [
            (inner.relative_to(path).as_posix(), link_to_file(whole, path, inner).address)
            for inner in sorted(path.rglob("*"))
            if inner.is_file()
        ]
        items = [
            element("li", text_element("a", name, href=address))
            for name, address in links
            if address
        ]
        return element("ul", "".join(items))
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".md":
        return code_block(text, _pygments_language(path))
    context = Context(
        blocks={},
        sessions={},
        link=lambda target, step: resolve_link(whole, path, target, step),
        file_link=lambda block: Link(""),
        exercise=whole.exercise_title,
    )
    return render_markdown(text.partition("\n")[2], context)


def _pygments_language(path: Path) -> str:
    names = {".py": "python", ".js": "js", ".html": "html", ".css": "css", ".toml": "toml"}
    names |= {".yaml": "yaml", ".service": "ini"}
    return "nginx" if path.name == "nginx.conf" else names.get(path.suffix, "text")
