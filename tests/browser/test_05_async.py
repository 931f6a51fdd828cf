"""Lesson 05 in a real browser: the page that draws the pulse of the server."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.accessibility import violations
from tests.support.script_server import ROOT, serving

pytestmark = pytest.mark.service("chromium")

APP = ROOT / "lessons" / "05_async" / "app.py"
PICTURES = ROOT / "test-output" / "browser"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(APP) as server:
        yield server.url


@pytest.fixture
def page(fresh_page: Page, url: str) -> Page:
    fresh_page.set_viewport_size({"width": 390, "height": 844})
    fresh_page.goto(url)
    longest = fresh_page.locator("#longest")
    expect(longest).not_to_have_text("longest wait: 0 ms")  # a ping was answered
    return fresh_page


def pings_during(page: Page, path: str) -> int:
    """Press the button for path; return how many pings were answered before its answer came."""
    lines = page.get_by_role("listitem").filter(has_text=f"{path}:")
    before = lines.count()
    page.get_by_role("button", name=f"Ask {path}").click()
    expect(lines).to_have_count(before + 1)
    told = re.search(r"Meanwhile (\d+) pings were answered", lines.first.inner_text())
    assert told
    return int(told[1])


def test_only_the_handler_that_blocks_stops_the_pulse(page: Page) -> None:
    # One may have been under way. Beside other work more are answered before the request arrives,
    # or a ping takes long, so one of some tries is enough.
    assert any(pings_during(page, "/blocking") <= 1 for _ in range(5))
    assert any(pings_during(page, "/awaiting") > 1 for _ in range(5))


def test_the_page_is_accessible_and_fits_a_phone(page: Page) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=PICTURES / f"05_pulse_{scheme}.png")
        assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
