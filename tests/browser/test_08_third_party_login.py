"""Lesson 08 in real Chromium: the whole login, and a cookie that has to come back with it."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.accessibility import violations
from tests.support.lesson_pages import LESSONS_FOLDER
from tests.support.script_server import serving

pytestmark = pytest.mark.service("chromium")

LESSON = LESSONS_FOLDER / "08_third_party_login"
PHONE = {"width": 390, "height": 844}


def expect_in_order(page: Page) -> None:
    assert violations(page) == []
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0, f"{width} pixels are out of sight"


def test_a_login_and_a_logout_on_a_phone_and_a_refusal(new_page: Callable[..., Page]) -> None:
    """C252, C254, C255"""
    with serving(LESSON / "app.py") as server:
        page = new_page(viewport=PHONE, color_scheme="dark")
        page.goto(server.url)
        expect_in_order(page)
        page.get_by_role("link", name="Log in with the provider").click()
        expect(page.get_by_role("heading", name="The provider")).to_be_visible()
        assert not page.url.startswith(server.url), "another server asks"
        expect_in_order(page)
        page.get_by_role("button", name="Yes, I am Ada Lovelace").click()
        expect(page.get_by_text("You are Ada Lovelace, says the provider.")).to_be_visible()
        assert page.url == f"{server.url}/", "code and state are gone from the address"
        expect_in_order(page)
        page.go_back()  # to the provider's page, whose answer would need a login that is over
        page.get_by_role("button", name="Yes, I am Alan Turing").click()
        expect(page.get_by_text("This login did not begin in this browser")).to_be_visible()
        expect_in_order(page)
        page.get_by_role("link", name="Back to the beginning").click()
        expect(page.get_by_text("You are Ada Lovelace")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_text("Nobody is logged in.")).to_be_visible()

        page.get_by_role("link", name="Log in with the provider").click()
        page.get_by_role("button", name="No", exact=True).click()
        expect(page.get_by_text("You have declined, so you are not logged in")).to_be_visible()


def test_a_link_with_somebody_elses_answer_logs_nobody_in(new_page: Callable[..., Page]) -> None:
    """C254: Eve stops before her callback, and sends its address to Ada."""
    with serving(LESSON / "app.py") as server:
        eve, ada = new_page(), new_page()
        eve.goto(f"{server.url}/login")
        token = eve.locator("input[name=_xsrf]").get_attribute("value")
        form: dict[str, str | float | bool] = {"_xsrf": token or "", "user": "1002"}
        link = eve.context.request.post(eve.url, form=form, max_redirects=0).headers["location"]
        assert link.startswith(f"{server.url}/callback?")
        ada.goto(link)
        expect(ada.get_by_text("This login did not begin in this browser")).to_be_visible()
        ada.goto(server.url)
        expect(ada.get_by_text("Nobody is logged in.")).to_be_visible()
        eve.goto(link)
        expect(eve.get_by_text("You are Alan Turing")).to_be_visible()


def test_the_login_cookie_comes_back_from_another_site_if_it_is_lax(
    new_page: Callable[..., Page], tmp_path: Path
) -> None:
    """C254: to a browser localhost and 127.0.0.1 are two sites, as a provider and an app are."""
    for samesite, seen in (
        ("Lax", "You are Ada Lovelace"),
        ("Strict", "This login did not begin in this browser"),
    ):
        copy = tmp_path / samesite
        shutil.copytree(LESSON, copy, ignore=shutil.ignore_patterns("exercises", "__pycache__"))
        for file, old, new in (
            ("provider.py", 'f"http://localhost:{sockets', 'f"http://127.0.0.1:{sockets'),
            ("code_flow/__init__.py", '"samesite": "Lax"', f'"samesite": "{samesite}"'),
        ):
            text = (copy / file).read_text(encoding="utf-8")
            assert text.count(old) == 1
            (copy / file).write_text(text.replace(old, new), encoding="utf-8")
        with serving(copy / "app.py") as server:
            page = new_page()
            page.goto(f"{server.url}/login")
            assert re.match(r"http://127\.0\.0\.1:\d+/authorize", page.url)
            page.get_by_role("button", name="Yes, I am Ada Lovelace").click()
            expect(page.get_by_text(seen)).to_be_visible()
