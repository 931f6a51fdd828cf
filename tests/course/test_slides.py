"""Slides: predictions before answers, no solutions of tasks, and nothing from the network."""

import re
from pathlib import Path
from typing import Any

import pytest

from course.slides import LINES_ON_SLIDE, make_slides, slide_type, slides_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("course")
    made = make_slides(ROOT / "notebooks" / "06_websocket_chat.ipynb", root)
    assert made == root / "my_work" / "notebooks" / "06_websocket_chat.slides.html"
    return made.read_text(encoding="utf-8")


def test_slides_load_nothing_from_the_network(slides: str) -> None:
    loaded = re.findall(r"""<(?:script|link|img)[^>]*(?:src|href)=["']([^"']+)""", slides)
    loaded += re.findall(r"""(?:import|from) ['"](https?:[^'"]+)""", slides)
    outside = [each for each in loaded if each.startswith(("http", "//"))]
    assert not outside
    for path in [each for each in loaded if each.startswith("../../")]:
        assert (ROOT / "my_work" / "notebooks" / path).resolve().is_file(), path


def test_slides_hold_the_tasks_without_their_answers(slides: str) -> None:
    assert "YourEcho" in slides
    assert "AnsweredEcho" not in slides


def test_a_picture_is_shown_without_its_code(slides: str) -> None:
    assert "data:image/png" in slides
    assert "loglog" not in slides


def test_code_of_a_lesson_is_shown_without_the_call_that_shows_it(slides: str) -> None:
    assert "EchoHandler" in slides
    assert "show(" not in re.sub("<[^>]+>", "", slides)


def test_a_section_begins_a_column() -> None:
    heading = {"source": "## 1. It begins", "metadata": {}}
    assert slide_type(heading, below_heading=False) == "slide"
    answer = {"source": "x = 1", "metadata": {"tags": ["answer"]}}
    assert slide_type(answer, below_heading=False) == "skip"


def shown(*blocks: str) -> dict[str, Any]:
    """A cell that shows code of a file, whose parts are separated by an empty line."""
    code = "\n\n".join(blocks)
    output = {"data": {"text/markdown": f"`app.py`\n\n```python\n{code}\n```"}}
    return {"id": "a", "source": 'show("app")', "metadata": {}, "outputs": [output]}


@pytest.mark.parametrize(
    ("lines", "below_heading", "place"),
    [(10, True, "-"), (10, False, "subslide"), (40, True, "subslide")],
)
def test_only_short_code_right_below_a_heading_shares_its_slide(
    lines: int, below_heading: bool, place: str
) -> None:
    assert slide_type(shown("x = 1\n" * lines), below_heading) == place


def test_code_longer_than_a_slide_is_cut_between_two_methods() -> None:
    methods = [f"    def step_{number}(self):\n" + "        pass\n" * 8 for number in range(5)]
    slides = slides_of(shown("class Long:", *(method.rstrip() for method in methods)))
    pieces = [slide["outputs"][0]["data"]["text/markdown"] for slide in slides]
    assert len(pieces) > 1
    assert len({slide["id"] for slide in slides}) == len(slides)
    for piece in pieces:
        assert piece.startswith("`app.py`")
        assert len(piece.splitlines()) <= LINES_ON_SLIDE + 2  # the fences have no height
        first, last = piece.splitlines()[3], piece.splitlines()[-2]
        assert first.startswith(("class", "    def"))
        assert last == "        pass"


def test_a_long_result_stands_on_a_slide_below_its_code() -> None:
    printed = {"output_type": "stream", "name": "stdout", "text": "line\n" * 24}
    cell = {"id": "a", "source": "print(24 * 'line')\n", "metadata": {}, "outputs": [printed]}
    code, result = slides_of({**cell, "source": "x = 1\n" * 10})
    assert code["outputs"] == []
    assert result["outputs"] == [printed]
    assert result["metadata"]["transient"]["remove_source"]
    assert len(slides_of(cell)) == 1
