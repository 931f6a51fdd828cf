"""Diagrams of the tour: each one is drawn, follows light and dark, and is described in words."""

import re
import xml.etree.ElementTree as ElementTree

from course.tour.diagrams import FOLDER, describe, picture_of, render_diagram
from tests.browser.diagram_pictures import sources


def test_each_diagram_is_drawn_as_it_is_written() -> None:
    """After a change: python -m tests.browser.diagram_pictures."""
    pictures = {picture_of(source).name for source in sources()}
    assert pictures == {path.name for path in FOLDER.glob("*.svg")}
    assert len(pictures) > 10


def test_pictures_follow_light_and_dark_and_load_nothing() -> None:
    for path in FOLDER.glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        ElementTree.fromstring(text)
        assert "prefers-color-scheme: dark" in text, path
        assert set(re.findall(r"https?://[^\"]+", text)) <= {
            "http://www.w3.org/2000/svg",
            "http://www.w3.org/1999/xlink",
        }
        assert "foreignObject" not in text, "Safari shows none inside <img>"


def test_a_picture_has_its_size_and_words() -> None:
    html = render_diagram(sources()[0])
    assert re.search(r'width="\d+" height="\d+" alt="', html)
    assert html.count("<li>") == len(describe(sources()[0]))


def test_every_diagram_can_be_said_in_words() -> None:
    for source in sources():
        arrows = [line for line in source.splitlines() if re.search(r"->|--", line)]
        assert len(describe(source)) >= len(arrows), source


def test_a_diagram_in_words() -> None:
    assert describe("sequenceDiagram\n    A->>B: x: y\n    B-->>A: z\n    A->>A: w") == [
        "A → B: x: y",
        "B → A: z",
        "A: w",
    ]
    assert describe(
        "flowchart LR\n  D[some text] --> F((b)) -- by --> C\n  D & C <-->|x| R[(S)]"
    ) == [
        "some text → b",
        "b → C: by",
        "some text → S: x",
        "S → some text: x",
        "C → S: x",
        "S → C: x",
    ]


def test_a_participant_has_its_own_name() -> None:
    source = "sequenceDiagram\n    participant A as Ann's browser\n    A->>S: send"
    assert describe(source) == ["Ann's browser → S: send"]


def test_a_changed_diagram_is_shown_in_words_until_it_is_drawn() -> None:
    assert render_diagram("sequenceDiagram\n    A->>B: new") == (
        '<figure class="diagram"><ol><li>A → B: new</li></ol></figure>\n'
    )


def test_no_message_has_a_semicolon() -> None:
    """Mermaid ends a message there, and draws no picture."""
    for source in sources():
        assert ";" not in source, source
