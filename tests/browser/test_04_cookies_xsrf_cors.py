"""Lesson 04 in a real browser: CORS, and the messages of Chromium when it fails."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.support.accessibility import violations
from tests.support.script_server import ROOT, serving

pytestmark = pytest.mark.service("chromium")

CORS = ROOT / "lessons" / "04_cookies_xsrf" / "cors.py"

# A server that answers with the headers in its query, and a page of another origin: 127.0.0.1.
SERVER = """
import asyncio, json, sys
import tornado.web

class Handler(tornado.web.RequestHandler):
    def prepare(self):
        case = json.loads(self.get_query_argument("case", "{}"))
        preflight = self.request.method == "OPTIONS"
        self.set_status(case.get("preflight_status", 204) if preflight else 200)
        for name, value in case.get("headers", {}).items():
            self.set_header(name, value.replace("ORIGIN", self.request.headers.get("Origin", "")))
        self.finish()

async def main():
    port = int(sys.argv[1].removeprefix("--port="))
    tornado.web.Application([("/.*", Handler)]).listen(port, "localhost")
    print(f"Open http://localhost:{port}", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())  # define("port"
"""
EACH = {"Access-Control-Allow-Origin": "ORIGIN"}
# For each message in TROUBLESHOOTING.md: the request of the page, and the server's response to it.
MESSAGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "No 'Access-Control-Allow-Origin' header is present": ({}, {}),
    "that is not equal to the supplied origin": (
        {},
        {"headers": {"Access-Control-Allow-Origin": "https://shop.example"}},
    ),
    "must not be the wildcard '*' when the request's credentials mode is 'include'": (
        {"credentials": "include"},
        {"headers": {"Access-Control-Allow-Origin": "*"}},
    ),
    "in the response is '' which must be 'true'": ({"credentials": "include"}, {"headers": EACH}),
    "It does not have HTTP ok status": (
        {"method": "PUT"},
        {"preflight_status": 405, "headers": EACH},
    ),
    "is not allowed by Access-Control-Allow-Methods": ({"method": "PUT"}, {"headers": EACH}),
    "is not allowed by Access-Control-Allow-Headers": (
        {"headers": {"X-Lamp": "on"}},
        {"headers": EACH},
    ),
    "Redirect is not allowed for a preflight request": (
        {"method": "PUT"},
        {"preflight_status": 302, "headers": {**EACH, "Location": "/elsewhere"}},
    ),
}


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that answers with the headers in the query."""
    script = tmp_path_factory.mktemp("cors") / "answering.py"
    script.write_text(SERVER, encoding="utf-8")
    with serving(script) as server:
        yield server.port


@pytest.fixture
def addresses() -> Iterator[tuple[str, str]]:
    """The addresses of the API and of the page of another origin."""
    with serving(CORS) as server:
        found = re.search(r"at (http://\S+)", server.output)
        assert found
        yield server.url, found[1]


def test_a_page_of_an_allowed_origin_reads_and_changes(
    fresh_page: Page, addresses: tuple[str, str]
) -> None:
    """C331: with the cookies of the API; without CORS the browser hides the response."""
    api, page = addresses
    fresh_page.goto(api)  # sets the cookie
    fresh_page.goto(page)
    assert violations(fresh_page) == []
    status = fresh_page.get_by_role("status")
    fresh_page.get_by_role("button", name="Read the lamp").click()
    expect(status).to_have_text('{"lamp": "off", "member": "ada"}')
    fresh_page.get_by_role("button", name="Switch the lamp on").click()
    expect(status).to_have_text('{"lamp": "on", "member": "ada"}')
    fresh_page.get_by_role("button", name="Read without CORS").click()
    expect(status).to_have_text("TypeError: Failed to fetch")


@pytest.mark.parametrize("message", MESSAGES)
def test_chromium_says_why(fresh_page: Page, answering: int, message: str) -> None:
    """Each message of TROUBLESHOOTING.md, caused by a server."""
    options, response = MESSAGES[message]
    fresh_page.goto(f"http://127.0.0.1:{answering}/")
    url = f"http://localhost:{answering}/?case={quote(json.dumps(response))}"
    with fresh_page.expect_console_message(lambda said: message in said.text):
        failed = fresh_page.evaluate(
            "([url, options]) => fetch(url, options).then(() => '', error => String(error))",
            [url, options],
        )
    assert failed == "TypeError: Failed to fetch"
