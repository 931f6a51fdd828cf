"""A page stays empty because its script has a wrong type: the message of Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.support.script_server import serving

pytestmark = pytest.mark.service("chromium")

SERVER = """
import asyncio, sys
import tornado.web

FILES = {
    "/": ("text/html", "<!doctype html><body><script type='module' src='a.js'></script>"),
    "/a.js": ("text/plain", "document.body.textContent = 'shown'"),
}

class FileHandler(tornado.web.RequestHandler):
    def get(self):
        content_type, text = FILES.get(self.request.path, ("text/plain", ""))
        self.set_header("Content-Type", content_type)
        self.write(text)

async def main():
    port = int(sys.argv[1].removeprefix("--port="))
    tornado.web.Application([("/.*", FileHandler)]).listen(port, "localhost")
    print(f"Open http://localhost:{port}", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())  # define("port"
"""


@pytest.fixture
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    script = tmp_path_factory.mktemp("types") / "types_server.py"
    script.write_text(SERVER, encoding="utf-8")
    with serving(script) as server:
        yield server.url


def test_a_module_of_a_wrong_type_is_not_run(fresh_page: Page, url: str) -> None:
    message = "Failed to load module script"
    with fresh_page.expect_console_message(lambda said: message in said.text):
        fresh_page.goto(url)
    assert fresh_page.inner_text("body").strip() == ""
