"""The places of the tour: which pages there are, their addresses and their order.

A place is an introduction, a step, an exercise, or a file that a page links to:

    /                           the map
    /01                         the introduction of lesson 01
    /01/2                       step 2 of its README.md
    /01/end                     the sections after the last step
    /01/further/3               step 3 of FURTHER.md
    /10/stage_04/2              section 2 of a stage, whose sections have no numbers
    /10/production/1            section 1 of PRODUCTION.md
    /exercise/01/allow_head     an exercise
    /file/docs/glossary.md      a document or a source file that a page links to
"""

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from course.catalog import Catalog, Exercise, Lesson
from course.pages import FENCE, Block, Step, blocks, step_pages
from course.translation import translate

MAP = "/"
STEP_HEADING = re.compile(r"Step (\d+): (.+)")
EXERCISE_COMMAND = re.compile(r"learn\.py (?:check|start) (\d\d/[a-z_]+)")
DURATION = re.compile(r"This lesson takes ([^.,]*(?:minutes|hours))")
SUMMARY = re.compile(r"^\| \[(\d\d)_\w+\]\([^)]*\) \| (.+?) \|$", re.M)
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")
REPLACED_BY_MAP = ("README.md", "lessons/README.md")
"""Documents in whose place the tour has its map."""
FURTHER = "FURTHER.md"
NOT_TEXT = {".png", ".svg", ".ipynb"}
FILE_KINDS = {"excerpt", "session", "command", "change", "broken", "diff"}
INTRODUCTION = "Introduction"
END = "At the end"


class UnknownAddressError(LookupError):
    """The tour has no page at this address."""


@dataclass(frozen=True)
class Place:
    """A page of the tour.

    Attributes:
        address: the path of the page, such as `/01/2`.
        kind: "map", "lesson" for an introduction, "step", "exercise" or "file".
        label: the place in its chapter, such as "Step 2".
        title: the title, in Markdown.
        lesson: the lesson that the page belongs to.
        part: the Markdown of the page.
        exercise: the exercise of a page of the kind "exercise".
        file: the file of a page of the kind "file".
    """

    address: str
    kind: str
    label: str
    title: str
    lesson: Lesson | None = None
    part: Step | None = None
    exercise: Exercise | None = None
    file: Path | None = None


@dataclass(frozen=True)
class Chapter:
    """The places of one Markdown page, each exercise behind the place that asks for it.

    Attributes:
        title: the title, in Markdown.
        page: the Markdown file.
        address: the address of its introduction.
        places: the introduction, the steps and the exercises, in order.
    """

    title: str
    page: Path
    address: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class LessonOutline:
    """A lesson in the map.

    Attributes:
        lesson: the lesson.
        summary: what the reader learns.
        duration: the time that it takes, such as "45 to 60 minutes".
        chapters: README.md first.
    """

    lesson: Lesson
    summary: str
    duration: str
    chapters: tuple[Chapter, ...]

    @property
    def places(self) -> list[Place]:
        """The places of all chapters, in order."""
        return [place for chapter in self.chapters for place in chapter.places]

    @property
    def in_stages(self) -> bool:
        """Whether the reader builds a program in stages, each in a folder of its own."""
        return len({chapter.page.parent for chapter in self.chapters}) > 1

    def size(self, *, further: bool) -> str:
        """Return the number of steps and exercises, of FURTHER.md or of all other pages."""
        places = [
            place
            for chapter in self.chapters
            if (chapter.page.name == FURTHER) == further
            for place in chapter.places
        ]
        steps = sum(place.kind == "step" and place.label != END for place in places)
        exercises = sum(place.kind == "exercise" for place in places)
        return (
            f"{steps} steps, {exercises} exercise{'' if exercises == 1 else 's'}" if steps else ""
        )


class Outline:
    """All places of a course.

    Args:
        catalog: the course on disk, which is read once.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.root = catalog.root
        readme = catalog.root / "lessons" / "README.md"
        overview = readme.read_text(encoding="utf-8") if readme.exists() else ""
        summaries = dict(SUMMARY.findall(overview))
        self.lessons = tuple(
            _outline_lesson(lesson, summaries.get(lesson.number, "")) for lesson in catalog.lessons
        )
        self.home = Place(MAP, "map", "", "Learn Tornado by running it")
        files = [
            Place(f"/file/{name}", "file", "", _title(path, name), file=path)
            for path in sorted(self._linked_files())
            if (name := path.relative_to(self.root).as_posix())
        ]
        every = [self.home, *self.course_places(), *files]
        self._places = {place.address: place for place in every}
        self._neighbours = _neighbours(self.home, self.lessons)

    def course_places(self) -> Iterator[Place]:
        """Yield the places of all lessons, in order."""
        for lesson in self.lessons:
            yield from lesson.places

    def places(self) -> tuple[Place, ...]:
        """Return all places: the map, the lessons, and the files that pages link to."""
        return tuple(self._places.values())

    def place(self, address: str) -> Place:
        """Return the place at an address.

        Raises:
            UnknownAddressError: there is none.
        """
        try:
            return self._places[address]
        except KeyError:
            raise UnknownAddressError(
                translate("The tour has no page {address}.", address=address)
            ) from None

    def has(self, address: str) -> bool:
        """Return whether there is a place at an address."""
        return address in self._places

    def exercise_title(self, label: str) -> tuple[str, str] | None:
        """Return the address and the title of an exercise, or None if there is none."""
        place = self._places.get(f"/exercise/{label}")
        return (place.address, place.title) if place else None

    def neighbours(self, place: Place) -> tuple[Place | None, Place | None]:
        """Return the places before and after a place in the order of the course."""
        return self._neighbours.get(place.address, (None, None))

    def chapter(self, place: Place) -> Chapter | None:
        """Return the chapter that holds a place."""
        for lesson in self.lessons:
            for chapter in lesson.chapters:
                if place in chapter.places:
                    return chapter
        return None

    def lesson(self, place: Place) -> LessonOutline | None:
        """Return the outline of a place's lesson."""
        return next((each for each in self.lessons if each.lesson == place.lesson), None)

    def chapter_of_page(self, page: Path) -> Chapter | None:
        """Return the chapter that a Markdown file is the text of."""
        for lesson in self.lessons:
            for chapter in lesson.chapters:
                if chapter.page == page:
                    return chapter
        return None

    def _linked_files(self) -> set[Path]:
        """Return the files that the pages of the lessons link to, also by a document of lessons/.

        Of other documents, such as that of the chat, no link is followed: they lead to the whole
        checkout.
        """
        shown = {chapter.page for lesson in self.lessons for chapter in lesson.chapters}
        waiting = list(shown)
        shown |= {self.root / name for name in REPLACED_BY_MAP}
        found: set[Path] = set()
        while waiting:
            path = waiting.pop()
            linked: list[Path | None] = []
            if path.is_dir():
                linked = [file for file in path.rglob("*") if "__pycache__" not in file.parts]
            elif path.suffix == ".md" and path.is_relative_to(self.root / "lessons"):
                prose = FENCE.sub("", _read(path))
                linked = [self.linked_file(path, target) for target in LINK.findall(prose)]
                linked += [block.script.resolve() for block in blocks(path) if names_file(block)]
            new = {each for each in linked if each} - found - shown
            found |= new
            waiting += new
        return found

    def linked_file(self, page: Path, target: str) -> Path | None:
        """Return the file or folder that a link leads to; of a folder, its README.md if it has one.

        Returns:
            None for an address on the web, and for a picture or a notebook.
        """
        if ":" in target:
            return None
        path = (page.parent / target).resolve()
        if (path / "README.md").exists():
            path /= "README.md"
        if not path.is_relative_to(self.root) or path.suffix in NOT_TEXT or not path.exists():
            return None
        return path


def _neighbours(
    home: Place, lessons: tuple[LessonOutline, ...]
) -> dict[str, tuple[Place | None, Place | None]]:
    """Return the places before and after each place.

    FURTHER.md is not between README.md and the next lesson. Its first place has the end of the
    lesson before it, and its last place the next lesson after it.
    """
    main = [home]
    ways: list[list[Place | None]] = []
    for lesson in lessons:
        if ways and ways[-1][-1] is None:
            ways[-1][-1] = lesson.chapters[0].places[0]
        for chapter in lesson.chapters:
            if chapter.page.name != FURTHER:
                main.extend(chapter.places)
            else:
                ways.append([main[-1], *chapter.places, None])
    ways.append([None, *main, None])
    return {
        place.address: (way[index - 1], way[index + 1])
        for way in ways
        for index, place in enumerate(way)
        if place and 0 < index < len(way) - 1
    }


def _outline_lesson(lesson: Lesson, summary: str) -> LessonOutline:
    duration = DURATION.search(_read(lesson.folder / "README.md"))
    pages = step_pages(lesson.folder)
    production = lesson.folder / "PRODUCTION.md"
    pages += [production] if production.exists() else []
    missing = {exercise.label: exercise for exercise in lesson.exercises}
    chapters = [_read_chapter(lesson, page, missing) for page in pages]
    if chapters and missing:  # no page asks for these
        rest = tuple(_exercise_place(lesson, exercise) for exercise in missing.values())
        chapters[-1] = replace(chapters[-1], places=chapters[-1].places + rest)
    return LessonOutline(lesson, summary, duration[1] if duration else "", tuple(chapters))


def _read_chapter(lesson: Lesson, page: Path, missing: dict[str, Exercise]) -> Chapter:
    """Read a page; take the exercises that it asks for out of `missing`."""
    base = f"/{lesson.number}" + {
        "README.md": "" if page.parent == lesson.folder else f"/{page.parent.name}",
    }.get(page.name, f"/{page.stem.lower()}")
    places: list[Place] = []
    for label, part in split_page(page):
        address = f"{base}/{part.number}" if part.number else base
        kind = "step" if part.number else "lesson"
        if label == END:
            address = f"{base}/end"
            kind = "step"
        places.append(Place(address, kind, label, part.title, lesson, part))
        for name in EXERCISE_COMMAND.findall(part.text):
            if name in missing:
                places.append(_exercise_place(lesson, missing.pop(name)))
    return Chapter(places[0].title, page, base, tuple(places))


def _exercise_place(lesson: Lesson, exercise: Exercise) -> Place:
    address = f"/exercise/{exercise.label}"
    return Place(address, "exercise", "Exercise", exercise.title, lesson, exercise=exercise)


def split_page(page: Path) -> list[tuple[str, Step]]:
    """Split a Markdown page at its headings of the second level.

    If the page has numbered steps, the sections before them belong to the introduction, and the
    sections after them are one part. Otherwise each section is a part.

    Returns:
        The label and the text of each part; the first one is the introduction.
    """
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    headings = [number for number, line in enumerate(lines) if line.startswith("## ")]
    titles = [lines[number].removeprefix("## ").strip() for number in headings]
    numbered = [index for index, title in enumerate(titles) if STEP_HEADING.fullmatch(title)]
    starts = headings[numbered[0] : numbered[-1] + 2] if numbered else headings
    title = lines[0].removeprefix("# ").strip() if lines else ""
    bounds = [0, *starts, len(lines)]
    parts = []
    for index, (first, last) in enumerate(itertools.pairwise(bounds)):
        text = "".join(lines[first + 1 : last])
        label, number = INTRODUCTION, 0
        if index:
            title = lines[first].removeprefix("## ").strip()
            label, number = f"Section {index}", index
        if match := STEP_HEADING.fullmatch(title):
            label, number, title = f"Step {match[1]}", int(match[1]), match[2]
        elif index and numbered:
            label, number = END, 0
        parts.append((label, Step(page, number, title, text, first + 1, last)))
    return parts


def _title(path: Path, name: str) -> str:
    """Return the heading of a document, or the name of another file."""
    text = _read(path) if path.suffix == ".md" else ""
    return text.partition("\n")[0].removeprefix("# ") if text.startswith("# ") else name


def names_file(block: Block) -> bool:
    """Return whether the comment in front of a block names a file of the lesson."""
    return bool(block.source) and block.kind in FILE_KINDS


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


@functools.lru_cache(maxsize=4)
def outline(catalog: Catalog) -> Outline:
    """Return the places of a course, which are read from the disk once."""
    return Outline(catalog)
