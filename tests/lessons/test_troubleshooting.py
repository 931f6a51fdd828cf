"""lessons/TROUBLESHOOTING.md: every message in it is one that a test provokes."""

import re

import pytest

from tests.support.lesson_pages import LESSONS_FOLDER, ROOT

PAGE = LESSONS_FOLDER / "TROUBLESHOOTING.md"
ROWS = re.findall(r"^\| `(.+?)` \| .* \| \[\d\d\]\(", PAGE.read_text(encoding="utf-8"), re.M)
TESTS = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("*.py"))]


@pytest.mark.parametrize("message", ROWS)
def test_a_test_waits_for_the_message(message: str) -> None:
    assert any(message in text for text in TESTS), "write the test that provokes it"


def test_every_row_has_a_message_and_a_lesson() -> None:
    rows = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| You see")
    ]
    assert len(rows) == len(ROWS) > 0
