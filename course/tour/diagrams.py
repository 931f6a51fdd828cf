"""The diagrams of the pages: pictures in static/diagrams/, and the same in words.

A diagram is written in Mermaid. `python -m tests.browser.diagram_pictures` draws it once, so the
tour does not need Mermaid. The name of the picture is a hash of the source: a changed diagram has
no picture until it is drawn again.
"""

import hashlib
import re
from pathlib import Path

from course.tour.elements import element, text_element
from course.translation import translate

FOLDER = Path(__file__).parent / "static" / "diagrams"
MESSAGE = re.compile(r"^(.+?)-?-(?:>>|x|\))(.+?): (.+)")
PARTICIPANT = re.compile(r"^(?:participant|actor) (\S+) as (.+)")
EDGE = re.compile(
    r"\s*(?:--\s+(?P<inner>.+?)\s+-->|(?P<back><)?-[-.]+-?>(?:\|(?P<text>[^|]*)\|)?)\s*"
)
NODE = re.compile(r"(?P<id>[\w.]+)(?:[\[({]+(?P<text>.*?)[\])}]+)?")
SIZE = re.compile(r'<svg[^>]* width="([\d.]+)"[^>]* height="([\d.]+)"')


def picture_of(source: str) -> Path:
    """Return the file of a diagram's picture, which is missing if the diagram was changed."""
    digest = hashlib.sha256(source.strip().encode()).hexdigest()
    return FOLDER / f"{digest[:12]}.svg"


def describe(source: str) -> list[str]:
    """Return a diagram in words, one sentence for each arrow."""
    names: dict[str, str] = {}
    kind, *lines = [line.strip() for line in source.strip().splitlines()]
    if kind == "sequenceDiagram":
        names = dict(found for line in lines for found in PARTICIPANT.findall(line))
        return [
            _sentence(names.get(left, left), names.get(right, right), text)
            for line in lines
            for left, right, text in MESSAGE.findall(line)
        ]
    return [sentence for line in lines for sentence in _edges(line, names)]


def _edges(line: str, names: dict[str, str]) -> list[str]:
    """Return the arrows of a line of a flowchart; `names` collects the texts of its nodes."""
    sentences = []
    matches = list(EDGE.finditer(line))
    ends = [0, *(match.end() for match in matches)]
    starts = [*(match.start() for match in matches), len(line)]
    groups = [_nodes(line[start:end], names) for start, end in zip(ends, starts, strict=True)]
    for match, left, right in zip(matches, groups, groups[1:], strict=False):
        text = match["inner"] or match["text"] or ""
        for one in left:
            for other in right:
                sentences.append(_sentence(one, other, text))
                if match["back"]:
                    sentences.append(_sentence(other, one, text))
    return sentences


def _nodes(text: str, names: dict[str, str]) -> list[str]:
    found = []
    for part in text.split(" & "):
        if match := NODE.fullmatch(part.strip()):
            if match["text"]:
                names[match["id"]] = match["text"]
            found.append(names.get(match["id"], match["id"]))
    return found


def _sentence(left: str, right: str, text: str) -> str:
    if left == right:
        return f"{left}: {text}"
    return f"{left} → {right}" + (f": {text}" if text else "")


def render_diagram(source: str) -> str:
    """Return the HTML of a diagram: its picture, and its arrows in words."""
    items = "".join(text_element("li", sentence) for sentence in describe(source))
    words = element("ol", items)
    picture = picture_of(source)
    if not picture.exists():
        return element("figure", words, class_="diagram") + "\n"
    size = SIZE.search(picture.read_text(encoding="utf-8"))
    width, height = (round(float(each)) for each in size.groups()) if size else (600, 300)
    image = element(
        "img",
        src=f"/static/diagrams/{picture.name}",
        width=width,
        height=height,
        alt=translate("Diagram. Its arrows are listed below."),
    ).removesuffix("</img>")
    summary = text_element("summary", translate("The diagram in words"))
    return element("figure", image + element("details", summary + words), class_="diagram") + "\n"
