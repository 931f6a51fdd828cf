"""Pages of the tour: every step of every lesson, its commands, files and links."""

import itertools
import re
from pathlib import Path
from urllib.parse import urldefrag

import pytest

from course.catalog import Catalog
from course.pages import blocks, commands
from course.tour.links import anchor, resolve_link
from course.tour.text import Page, UnknownAddressError, find_session, outline, page, render
from tests.support.html_document import Document, read_html

ROOT = Path(__file__).resolve().parents[3]
CATALOG = Catalog(ROOT)
OUTLINE = outline(CATALOG)
LESSON_PAGES = [chapter.page for lesson in OUTLINE.lessons for chapter in lesson.chapters]


@pytest.fixture(scope="module")
def pages() -> dict[str, Page]:
    """The pages of the lessons and their exercises, and those in Markdown, by address.

    test_site.py has the other files, which take most of the time.
    """
    return {
        place.address: page(CATALOG, place.address)
        for place in OUTLINE.places()
        if place.kind != "file" or place.address.endswith(".md")
    }


@pytest.fixture(scope="module")
def documents(pages: dict[str, Page]) -> dict[str, Document]:
    """The same pages as documents."""
    return {address: read_html(render(CATALOG, each)) for address, each in pages.items()}


def test_each_line_of_a_page_belongs_to_one_place() -> None:
    for chapter in (chapter for lesson in OUTLINE.lessons for chapter in lesson.chapters):
        parts = [place.part for place in chapter.places if place.part]
        ends = [0, *(part.last for part in parts)]
        assert [part.first for part in parts] == [end + 1 for end in ends[:-1]]
        assert ends[-1] == len(chapter.page.read_text(encoding="utf-8").splitlines())


def test_each_exercise_has_a_place() -> None:
    exercises = {exercise.label for exercise in CATALOG.exercises()}
    assert {place.exercise.label for place in OUTLINE.places() if place.exercise} == exercises


def test_each_block_of_commands_is_a_session_with_its_commands(
    documents: dict[str, Document], pages: dict[str, Page]
) -> None:
    written = [
        command
        for path in LESSON_PAGES
        for block in blocks(path)
        if block.kind in ("session", "broken", "command")
        for command, _ in commands(block.text)
    ]
    described = [
        command["text"]
        for each in pages.values()
        for session in each.data["sessions"]
        for command in session["commands"]
    ]
    assert sorted(described) == sorted(written)
    for address, document in documents.items():
        ids = [session["id"] for session in pages[address].data["sessions"]]
        assert [
            each.attributes["data-session"]
            for each in document.find(class_="session")
            if "data-session" in each.attributes
        ] == ids
        figures = [command.text for command in document.find("div", class_="command")]
        shown = [c["text"] for s in pages[address].data["sessions"] for c in s["commands"]]
        assert [text for text in figures if text in shown] == shown


def test_a_session_is_found_by_its_id(pages: dict[str, Page]) -> None:
    for each in pages.values():
        for session in each.data["sessions"]:
            found = find_session(CATALOG, session["id"])
            assert [text for text, _ in found.commands] == [c["text"] for c in session["commands"]]


@pytest.mark.parametrize(
    "identifier", ["01/6/7", "01/6/", "01/6/-1", "99/1/0", "exercise/01/allow_head/0", ""]
)
def test_an_unknown_session_is_refused(identifier: str) -> None:
    with pytest.raises(UnknownAddressError):
        find_session(CATALOG, identifier)


@pytest.mark.parametrize(
    "address",
    ["/99", "/01/99", "", "/01/", "/file/LICENSE", "/file/../../etc/passwd", "/exercise/01/none"],
)
def test_an_unknown_address_is_refused(address: str) -> None:
    with pytest.raises(UnknownAddressError):
        page(CATALOG, address)


def test_a_changed_copy_knows_its_change(
    pages: dict[str, Page], documents: dict[str, Document]
) -> None:
    shown, broken = pages["/01/6"].data["sessions"]
    assert shown["change"] is None
    assert '+        self.write(["Phobos", "Deimos"])\n' in broken["change"]
    assert documents["/01/6"].find("figure", data_change="01/6/1")


def test_links_lead_to_pages_and_headings(documents: dict[str, Document]) -> None:
    for address, document in documents.items():
        for link in document.find("a"):
            target, fragment = urldefrag(link.attributes["href"])
            if target.startswith("https://"):
                continue
            assert OUTLINE.has(target or address), f"{address}: {link.attributes['href']}"
            if fragment:
                assert fragment in documents[target or address].values("id"), f"{address}: {link}"


def test_a_link_to_a_step_leads_to_its_page(documents: dict[str, Document]) -> None:
    assert documents["/01/6"].find("a", href="/01/further/11")  # "FURTHER.md, step 11"
    concepts = ROOT / "lessons" / "CONCEPTS.md"
    for place in OUTLINE.course_places():
        if place.part and place.label.startswith("Step "):
            heading = anchor(f"{place.label}: {place.title}")
            target = f"{place.part.page.relative_to(concepts.parent).as_posix()}#{heading}"
            assert resolve_link(OUTLINE, concepts, target).address == place.address
    further = "01_hello/FURTHER.md#where-tornado-comes-from"
    found = resolve_link(OUTLINE, concepts, further).address
    assert found == "/01/further#where-tornado-comes-from"


def test_a_link_to_a_script_opens_it_in_the_workbench(documents: dict[str, Document]) -> None:
    link = documents["/01/1"].find("a", data_file="script:01/app")[0]
    assert link.attributes["href"] == "/file/lessons/01_hello/app.py"


def test_the_files_of_a_page_come_in_the_order_of_the_text(pages: dict[str, Page]) -> None:
    assert pages["/01/6"].data["files"] == [
        {"id": "script:01/response_output", "name": "response_output.py", "language": "python"}
    ]
    for each in pages.values():
        if each.place.part and each.place.lesson:
            scripts = [block.script for block in each.place.part.blocks() if block.source]
            folder = each.place.lesson.folder
            files = dict.fromkeys(path.resolve() for path in scripts)
            named = [path.name for path in files if path.is_relative_to(folder)]
            shown = [file["name"] for file in each.data["files"]]
            assert shown[: len(named)] == named, each.place.address


def test_a_file_is_named_by_its_lesson_or_stage(pages: dict[str, Page]) -> None:
    ids = {file["id"] for each in pages.values() for file in each.data["files"]}
    assert {"script:01/app", "exercise:01/allow_head", "script:10/4", "script:10/1/hub.py"} <= ids
    assert "script:06/static/chat.js" in ids
    assert [each for each in ids if re.fullmatch(r"script:10/\d/static/chat\.js", each)]


def test_an_exercise_comes_after_the_step_that_asks_for_it(
    pages: dict[str, Page], documents: dict[str, Document]
) -> None:
    assert pages["/01/2"].next == "/exercise/01/allow_head"
    assert pages["/exercise/01/allow_head"].next == "/01/3"
    assert documents["/01/2"].find(
        "a",
        href="/exercise/01/allow_head",
    )


def test_the_way_through_the_course_has_no_gap(pages: dict[str, Page]) -> None:
    way = ["/"]
    while following := pages[way[-1]].next:
        assert pages[following].previous == way[-1]
        way.append(following)
    further = {place.address for place in OUTLINE.course_places() if "/further" in place.address}
    exercises = {address for address in pages if address.startswith("/exercise/")}
    every = {place.address for place in OUTLINE.course_places()}
    assert every - set(way) - exercises == further
    assert pages["/01/further"].previous == "/01/end"
    assert pages["/09/further"].previous == "/09/end"


def test_documents_are_well_formed(documents: dict[str, Document]) -> None:
    for address, document in documents.items():
        ids = document.values("id")
        assert len(ids) == len(set(ids)), address
        assert not document.errors, f"{address}: {document.errors}"
        levels = [
            int(each.tag[1]) for each in document.elements if each.tag in {"h1", "h2", "h3", "h4"}
        ]
        assert levels[0] == 1, address
        assert levels.count(1) == 1, address
        steps = itertools.pairwise(levels)
        assert all(after <= before + 1 for before, after in steps), f"{address}: {levels}"
        assert document.find("html", lang="en")
        assert len(document.find("main")) == 1


def test_no_comment_and_no_html_of_the_source_is_shown(pages: dict[str, Page]) -> None:
    for address, each in pages.items():
        if each.place.part:
            assert "&lt;!-- " not in each.html.replace("&lt;!-- region", ""), address


@pytest.mark.parametrize(
    ("address", "shown"),
    [("/06/2", True), ("/02/5", True), ("/01/4", False), ("/file/docs/glossary.md", False)],
)
def test_a_page_that_speaks_of_terminals_says_what_takes_their_place(
    address: str, shown: bool, pages: dict[str, Page]
) -> None:
    hint = "takes the place of the terminals"
    assert (hint in render(CATALOG, pages[address])) is shown
    assert hint not in render(CATALOG, pages[address], tour=False)
