"""Make docs/tour.png, the picture in the README: python -m tests.browser.tour_picture

Starts the tour in a copy of the course, runs two commands of a step in Chromium, and keeps what the
learner sees. Needs requirements/dev.txt, curl and Chromium.
"""

import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from tests.support.browser_person import DESKTOP
from tests.support.checkout import make_checkout, serving
from tests.support.chromium import running, using

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "tour.png"


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(
            make_checkout(Path(folder) / "course"),
            ["tour", "01", "--no-browser", "--port=0"],
            "#code=",
        ) as address,
        running() as chromium,
        using(chromium),
    ):
        page = chromium.new_page(viewport=DESKTOP, color_scheme="light")
        page.goto(address)
        expect(page.locator(".keys-opener")).to_be_visible()
        page.keyboard.press("Alt+n")
        expect(page.locator(".file-state")).to_contain_text("app.py")
        for number, command in enumerate(("learn.py run 01", "curl")):
            page.locator(".command", has_text=command).get_by_role("button", name="Run").click()
            expect(page.locator(".mark").nth(number)).to_have_text("as in the text")
        page.get_by_role("tabpanel", name="Request").get_by_role("button", name="Send").click()
        expect(page.locator(".answer")).to_contain_text("200 OK")
        page.screenshot(path=PICTURE)
    # A page has few colours: a palette keeps the file small.
    Image.open(PICTURE).convert("RGB").quantize(256).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
