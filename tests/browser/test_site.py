"""The static site in Chromium, opened from the disk: search, both themes, small windows."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from course.catalog import Catalog
from course.tour.site import file_of, write_site
from tests.support.accessibility import violations

pytestmark = pytest.mark.service("chromium")
ROOT = Path(__file__).resolve().parents[2]
# One page of each kind; the third is the longest step.
ADDRESSES = ["/", "/01", "/03/7", "/01/end", "/exercise/01/allow_head", "/10/stage_02/3", "/search"]
ADDRESSES += ["/file/lessons/TROUBLESHOOTING.md", "/file/lessons/01_hello/app.py"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the course."""
    folder = tmp_path_factory.mktemp("site")
    write_site(Catalog(ROOT), folder)
    return folder


@pytest.fixture
def reader(new_page: Callable[..., Page]) -> Iterator[Callable[..., Page]]:
    """Makes pages. Each request that leaves the disk and each error fails the test."""
    problems: list[str] = []

    def make(**look: object) -> Page:
        page = new_page(**look)
        page.on("request", lambda sent: problems.append(sent.url))
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        return page

    yield make
    assert not [problem for problem in problems if not problem.startswith("file://")]


def address_in(site: Path, address: str) -> str:
    return (site / file_of(address)).as_uri()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_accessible(site: Path, new_page: Callable[..., Page], theme: str) -> None:
    page = new_page(color_scheme=theme)
    for address in ADDRESSES:
        page.goto(address_in(site, address))
        assert violations(page) == [], address


def test_a_small_window_does_not_scroll_sideways(site: Path, reader: Callable[..., Page]) -> None:
    page = reader(viewport={"width": 320, "height": 640})
    for address in ADDRESSES:
        page.goto(address_in(site, address))
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, address


def test_the_search_finds_pages_by_the_beginning_of_their_words(
    site: Path, reader: Callable[..., Page]
) -> None:
    page = reader()
    page.goto(address_in(site, "/01/1"))
    page.get_by_role("searchbox", name="Search the course").fill("redirect form")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Search")
    results = page.locator("#results a")
    expect(results.first).to_have_text("A redirect after a form")
    field = page.get_by_role("searchbox", name="Words of the course")
    field.fill("nosuchword")
    expect(page.get_by_role("status")).to_have_text("No page has “nosuchword”.")
    field.fill("XHTML_esc")
    results.filter(has_text="Answer with text or JSON").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Answer with text or JSON")


def test_the_way_through_a_lesson_works_by_keyboard(
    site: Path, reader: Callable[..., Page]
) -> None:
    page = reader()
    page.goto(address_in(site, "/"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_be_focused()
    page.get_by_role("link", name="01 Hello, Tornado", exact=True).press("Enter")
    titles = [
        "The smallest server",
        "One method of the handler for each HTTP method",
        "Answer HEAD",
    ]
    for title in titles:
        page.get_by_role("link", name="Next").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.get_by_text("01 Hello, Tornado", exact=True).first.press("Enter")
    pages = page.get_by_role("navigation", name="Pages of this lesson")
    pages.get_by_role("link", name="Step 9").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("The methods that Tornado calls")
