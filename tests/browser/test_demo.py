"""The first five minutes: two printed links show the demo as two people, in one browser."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.chat_server import ROOT, SECONDS_TO_END
from tests.support.services import require


@pytest.fixture
def links() -> Iterator[list[str]]:
    """The links that `--demo` prints."""
    require("chromium")
    command = [sys.executable, "-m", "capstone_chat", "--demo", "--port=0", "--logging=warning"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            printed = [process.stdout.readline() for _ in range(4)]
            yield re.findall(r"http://\S+", "".join(printed))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(SECONDS_TO_END)


def test_both_people_write_to_each_other_in_one_browser(
    links: list[str], new_page: Callable[..., Page]
) -> None:
    ann = new_page(own_profile=True)
    ben = ann.context.new_page()
    for page, link in zip((ann, ben), links, strict=True):
        page.goto(link)
        page.get_by_role("link", name="Saturday hike").click()
        expect(page.locator("#log")).to_contain_text("lake, sun and lemon cake")
    expect(ann.locator("#my-nickname")).to_have_text("Ann Walker")
    expect(ben.locator("#my-nickname")).to_have_text("Ben Okafor")
    for writer, reader, text in (ann, ben, "Do I bring a tent?"), (ben, ann, "Only your boots."):
        writer.get_by_role("textbox", name="Message").fill(text)
        writer.keyboard.press("Enter")
        expect(reader.locator("#log")).to_contain_text(text)
