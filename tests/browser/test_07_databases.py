"""Lesson 07 in real Chromium: a note shows on the page of another process, as text."""

import uuid
from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import Page, expect

from tests.support.accessibility import violations
from tests.support.script_environment import servers_for
from tests.support.script_server import ROOT, serving
from tests.support.services import require

pytestmark = pytest.mark.service("chromium", "redis")

NOTES = ROOT / "lessons" / "07_databases" / "redis_notes.py"
HOSTILE = "<img src=x onerror=\"document.title = 'run'\"> & milk"


@pytest.fixture
def name() -> Iterator[str]:
    """A note of our own, removed at the end."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    yield name
    with redis.from_url(require("redis")) as store:
        store.delete(f"lesson07:{name}")


def test_a_note_reaches_the_page_of_another_process_as_text(fresh_page: Page, name: str) -> None:
    """C246, C247: written here, published by Redis, shown there."""
    with servers_for(NOTES), serving(NOTES) as here, serving(NOTES) as there:
        other = fresh_page.context.new_page()
        other.goto(there.url)
        fresh_page.goto(here.url)
        fresh_page.get_by_label("Name").fill(name)
        fresh_page.get_by_label("Text").fill(HOSTILE)
        fresh_page.get_by_role("button", name="Keep it").click()
        expect(fresh_page.get_by_role("status")).to_have_text("kept")
        for page in (fresh_page, other):
            item = page.get_by_role("listitem").filter(has_text=name)
            expect(item).to_contain_text(HOSTILE)
            expect(page).to_have_title("Notes in Redis")
        assert violations(fresh_page) == []
        other.close()
