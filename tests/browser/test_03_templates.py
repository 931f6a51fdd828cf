"""Lesson 03 in a real browser: which attacks run, and what its pages look like."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Dialog, Error, Page, ViewportSize, expect

from tests.support.accessibility import violations
from tests.support.script_server import ROOT, serving

pytestmark = pytest.mark.service("chromium")

LESSON = ROOT / "lessons" / "03_templates"
PICTURES = ROOT / "test-output" / "browser"
PHONE: ViewportSize = {"width": 390, "height": 844}
ATTACK = "<script>alert('hello!')</script>"

PAGES = {
    "app": ["/", "/?q=castle", "/home/dome"],
    "blocks": ["/about", "/festive"],
    "contexts": ["/"],
    "directives": ["/"],
    "escaping": ["/escaped"],
    "languages": ["/", "/?language=zh_CN"],
    "mistakes": ["/"],
    "modules": ["/"],
    "static_files": ["/"],
}


@pytest.fixture
def page(fresh_page: Page) -> Page:
    return fresh_page


@pytest.fixture
def ran(page: Page) -> Iterator[list[str]]:
    """What the page's scripts have shown with alert(): an attack that ran."""
    said: list[str] = []

    def note(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    yield said
    page.remove_listener("dialog", note)


def test_the_reflected_script_runs_where_escaping_is_off(page: Page, ran: list[str]) -> None:
    """C118, C119, C122, C123: with no special header; a policy stops it."""
    with serving(LESSON / "escaping.py") as server:
        for switch, runs in [
            ("escaped", False),
            ("raw", True),
            ("file", True),
            ("file_escape", False),
            ("twice", False),
            ("csp", False),
        ]:
            ran.clear()
            page.goto(f"{server.url}/{switch}")
            page.get_by_label("Try some HTML").fill(ATTACK)
            page.get_by_role("button", name="Send").click()
            page.wait_for_load_state()
            assert ran == (["hello!"] if runs else []), switch


def test_the_reflected_script_runs_when_the_application_escapes_nothing(
    page: Page, ran: list[str]
) -> None:
    """C120"""
    with serving(LESSON / "escaping.py", "--autoescape=none") as server:
        page.goto(f"{server.url}/escaped")
        page.get_by_label("Try some HTML").fill(ATTACK)
        page.get_by_role("button", name="Send").click()
        page.wait_for_load_state()
    assert ran == ["hello!"]


def test_each_place_has_its_attack_and_its_guard(page: Page, ran: list[str]) -> None:
    """C117, C124"""
    with serving(LESSON / "contexts.py") as server:
        for place in ("text", "attribute", "link", "script"):
            for care, runs in (("careless", True), ("careful", False)):
                ran.clear()
                page.goto(f"{server.url}/{care}/{place}")
                page.wait_for_load_state()
                if place == "attribute":
                    page.locator("input").click()
                elif place == "link":
                    page.get_by_text("my page").click()
                # A click on a javascript: link runs in a task of its own; this one comes after it.
                page.evaluate("new Promise(done => setTimeout(done))")
                assert ran == (["1"] if runs else []), f"{care} {place}"


def test_a_module_s_script_works(page: Page) -> None:
    """C127"""
    with serving(LESSON / "modules.py") as server:
        page.goto(server.url)
        note = page.get_by_text("Click to hide this note.")
        note.click()
        expect(note).to_have_count(0)


def test_the_second_visit_asks_for_nothing_that_has_a_version(page: Page) -> None:
    """C133: style and pictures come from the browser's cache."""
    with serving(LESSON / "app.py") as server:
        page.goto(server.url)
        page.wait_for_load_state("networkidle")
        page.goto(f"{server.url}/home/dome")
        page.wait_for_load_state("networkidle")
        sizes = page.evaluate(
            "performance.getEntriesByType('resource').map(e => [e.name, e.transferSize])"
        )
    versioned = {name.partition("?")[0]: size for name, size in sizes if "?v=" in name}
    assert {path.rpartition("/")[2]: size for path, size in versioned.items()} == {
        "style.css": 0,
        "dome.svg": 0,
    }


@pytest.mark.parametrize("script", PAGES)
def test_its_pages_fit_a_phone_and_are_accessible(page: Page, script: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size(PHONE)
    errors: list[str] = []

    def note(error: Error) -> None:
        errors.append(str(error))

    page.on("pageerror", note)
    with serving(LESSON / f"{script}.py") as server:
        for number, path in enumerate(PAGES[script]):
            page.goto(server.url + path)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.screenshot(path=PICTURES / f"03_{script}_{number}_{scheme}.png")
                assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
                assert violations(page) == []
    page.remove_listener("pageerror", note)
    assert not errors
