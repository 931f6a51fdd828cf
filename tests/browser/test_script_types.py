"""Scripts of the lessons run when the system says that they are plain text."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.script_server import ROOT, serving

pytestmark = pytest.mark.service("chromium")


def as_plain_text(route: Route) -> None:
    """Answer as a server does where the registry of Windows has another type for scripts."""
    response = route.fetch()
    route.fulfill(response=response, headers=response.headers | {"content-type": "text/plain"})


@pytest.mark.parametrize(
    ("script", "place", "text"),
    [
        ("05_async/app.py", "#longest", "longest wait: "),
        ("06_websocket_chat/app.py", "#state", "open"),
        ("09_deployment/app.py", "#state", "open"),
    ],
)
def test_a_page_works(fresh_page: Page, script: str, place: str, text: str) -> None:
    fresh_page.route("**/*.js*", as_plain_text)
    with serving(ROOT / "lessons" / script) as server:
        fresh_page.goto(server.url)
        expect(fresh_page.locator(place)).to_contain_text(text)
        expect(fresh_page.locator(place)).not_to_have_text("longest wait: 0 ms")


def test_the_note_of_lesson_04_is_sent(fresh_page: Page) -> None:
    fresh_page.route("**/*.js*", as_plain_text)
    with serving(ROOT / "lessons" / "04_cookies_xsrf" / "xsrf_fetch.py") as server:
        fresh_page.goto(server.url)
        fresh_page.locator("input[name=note]").fill("hello")
        fresh_page.locator("button[value=yes]").click()
        expect(fresh_page.locator("#answer")).to_contain_text("200")
