"""`learn.py notebook` for a user who has never started JupyterLab before."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.support.checkout import make_checkout, serving

OPENED = 60_000
"""Milliseconds in which JupyterLab must show the notebook."""

pytestmark = pytest.mark.service("chromium")


def test_the_copy_is_opened_without_news_and_without_the_network(
    browser: Browser, tmp_path: Path
) -> None:
    checkout = make_checkout(tmp_path / "course")
    command = ["notebook", "01", "--no-browser", "--ServerApp.port=0"]
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    requested: list[str] = []
    with (
        serving(checkout, command, line="?token=", env=home, quiet=False) as address,
        browser.new_context() as context,
    ):
        page = context.new_page()
        page.on("request", lambda request: requested.append(request.url))
        page.goto(address, timeout=OPENED)
        expect(page.get_by_role("tab", name="01_hello.ipynb")).to_be_visible(timeout=OPENED)
        expect(page.get_by_role("heading", name="Lesson 01:")).to_be_visible(timeout=OPENED)
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=OPENED)
        page.wait_for_load_state("networkidle", timeout=OPENED)  # news would be asked for by now
        assert not page.get_by_role("alert").count(), "a message stands over the notebook"
        assert not page.get_by_role("dialog").count()
    assert (checkout / "my_work" / "notebooks" / "01_hello.ipynb").is_file()
    addresses = [urlsplit(url) for url in requested if url.startswith(("http", "ws"))]
    assert {address.hostname for address in addresses} == {"localhost"}
    assert not [part for part in addresses if re.search(r"/lab/api/(news|update)", part.path)]
