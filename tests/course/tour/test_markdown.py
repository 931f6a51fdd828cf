"""Markdown as HTML: nothing in it becomes HTML of its own, and code has its colours."""

import re
from pathlib import Path

import pytest

from course.catalog import Catalog
from course.tour.colours import BACKGROUNDS, COLOURS, STYLESHEET, stylesheet
from course.tour.links import Link
from course.tour.markdown import Context, highlight, render_markdown
from course.tour.text import outline, page, render
from tests.course.sample_course import make_course
from tests.support.html_document import read_html


def rendered(text: str, link: Link | None = None) -> str:
    return render_markdown(
        text,
        Context(
            blocks={},
            sessions={},
            link=lambda target, step: link or Link(""),
            file_link=lambda block: Link(""),
            exercise=lambda label: None,
        ),
    )


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<!-- a -->\n\n<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "![a](https://example.com/a.png)",
        "```html\n<script>alert(1)</script>\n```",
        "```nosuchlanguage\n<script>\n```",
        "```console\n<script>\n```",
        "```mermaid\nsequenceDiagram\n    <script>->>B: <img>\n```",
        '# <b onclick="x">',
        "[a](https://example.com/\"onclick='x')",
    ],
)
def test_html_in_markdown_is_text(text: str) -> None:
    document = read_html(rendered(text))
    assert not {"script", "img", "b"} & {element.tag for element in document.elements}
    assert not [name for name in ("onclick", "onerror") if document.values(name)]
    assert not [link for link in document.values("href") if not link.startswith("https://")]


def test_a_comment_is_not_shown_and_ends_a_paragraph() -> None:
    assert rendered("One.\n<!-- session: app.py -->\nTwo.") == "<p>One.</p>\n<p>Two.</p>\n"


def test_headings_leave_no_level_out_and_have_ids() -> None:
    document = read_html(rendered("### A `b`\n\n##### C\n\n### A b\n"))
    found = [(each.tag, each.attributes["id"]) for each in document.find() if each.tag[0] == "h"]
    assert found == [("h2", "a-b"), ("h3", "c"), ("h2", "a-b-1")]


def test_a_link_to_a_page_that_the_tour_lacks_is_text() -> None:
    assert rendered("[the file](x.md)") == (
        '<p><span class="path" title="x.md">the file</span></p>\n'
    )


def test_links_to_other_sites_do_not_replace_the_tour() -> None:
    link = read_html(rendered("[a](https://example.com/)")).find("a")[0]
    assert link.attributes["target"] == "_blank"


def test_the_colours_of_code_are_those_of_the_style_sheet() -> None:
    assert STYLESHEET.read_text(encoding="utf-8") == stylesheet()


def test_the_colours_of_code_can_be_read() -> None:
    for _, light, dark in COLOURS:
        assert contrast(light, BACKGROUNDS["light"]) >= 4.5, light
        assert contrast(dark, BACKGROUNDS["dark"]) >= 4.5, dark


def contrast(one: str, other: str) -> float:
    """The contrast of two colours by WCAG 2.2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_python_and_diffs_have_colours() -> None:
    names = set(
        re.findall(r"class=\"(\w+)\"", highlight("def f(a): return 'x' + 1  # c", "python"))
    )
    names |= set(re.findall(r"class=\"(\w+)\"", highlight("-a\n+b\n", "diff")))
    coloured = {name for classes, _, _ in COLOURS for name in classes.split()}
    assert names == {"k", "nf", "s1", "mi", "c1", "gd", "gi"}
    assert names <= coloured


def test_a_course_without_steps_has_pages(tmp_path: Path) -> None:
    catalog = Catalog(make_course(tmp_path))
    for place in outline(catalog).places():
        assert not read_html(render(catalog, page(catalog, place.address))).errors
