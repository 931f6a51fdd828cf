"""What a README shows of a script is what the script says."""

from pathlib import Path

import pytest

from course.pages import Block, blocks, excerpt
from tests.support.lesson_pages import READMES, STEP_PAGES, name_of

EXCERPTS = [block for page in STEP_PAGES for block in blocks(page) if block.kind == "excerpt"]


@pytest.mark.parametrize("block", EXCERPTS, ids=str)
def test_an_excerpt_equals_its_file(block: Block) -> None:
    file, _, name = block.source.partition("#")
    expected = excerpt(block.page.parent / file, name)
    assert block.text == expected, f"{block} is not what {file} says"


@pytest.mark.parametrize("page", STEP_PAGES, ids=name_of)
def test_python_and_console_blocks_say_where_they_come_from(page: Path) -> None:
    unmarked = [
        str(block)
        for block in blocks(page)
        if block.language in {"python", "console"} and not block.kind
    ]
    assert not unmarked, "no `<!-- excerpt: ... -->` or `<!-- session: ... -->` in front"


@pytest.mark.parametrize("page", READMES, ids=name_of)
def test_a_readme_shows_code_of_its_lesson(page: Path) -> None:
    kinds = {block.kind for block in blocks(page)}
    assert {"excerpt", "session", "change"} <= kinds, (
        "show code, run it, and let the reader break it"
    )
