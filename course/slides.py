"""Slides of a notebook, which need no network: reveal.js is in notebooks/reveal/."""

import copy
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from course.notebooks import FOLDER

SHOW = re.compile(r"(from .+\s+)*show(_source)?\(")
"""The beginning of a cell that shows the code that a section is about."""
LISTING = re.compile(r"`(.+)`\n\n```python\n(.*?)\n```", re.S)
"""Code of a file, as a notebook shows it: the name of the file, and the code."""
LINES_BELOW_HEADING = 20
"""Lines of code that fit below the heading and the introduction of a section."""
LINES_ON_SLIDE = 25
"""Lines of code that fit on a slide."""
TEMPLATE = """{%- extends 'reveal/index.html.j2' -%}
{% block html_head_js %}{% endblock %}
{% block mathjax %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block footer_js %}
<style>
.reveal .slides section { height: 690px; overflow-y: auto; text-align: left; }
.reveal { font-size: 26px; }
.reveal .slides section:not(:has(pre, img, h1)) .jp-RenderedHTMLCommon { font-size: 29px; }
.reveal pre { width: 100%; font-size: 19px; line-height: 1.3; box-shadow: none; }
.reveal img { max-height: 560px; margin: 0; }
.reveal table { font-size: 22px; }
</style>
<script src="{{ resources.reveal.url_prefix }}/dist/reveal.js"></script>
<script>Reveal.initialize({hash: true, width: 1280, height: 720, margin: 0.02});</script>
{% endblock footer_js %}
"""


def make_slides(notebook: Path, root: Path) -> Path:
    """Make slides of a notebook with its stored outputs; return their file in my_work/notebooks/.

    A section is a column of slides. Each prediction and each answer is a slide of its own, so that
    nothing shows an answer before it was asked for. A cell with more lines than fit on a slide
    becomes several slides.

    Args:
        notebook: the notebook of the course.
        root: the checkout of the course, which holds notebooks/reveal/.
    """
    import nbformat
    from jinja2 import DictLoader
    from nbconvert import SlidesExporter

    content = json.loads(notebook.read_text(encoding="utf-8"))
    cells = content["cells"]
    below_heading = [False, *(is_heading(cell) for cell in cells)]
    content["cells"] = [
        slide
        for cell, below in zip(cells, below_heading, strict=False)
        for slide in slides_of(cell, below)
    ]
    exporter = SlidesExporter(
        extra_loaders=[DictLoader({"offline.html.j2": TEMPLATE})],
        template_file="offline.html.j2",
        reveal_url_prefix="../../notebooks/reveal",
        reveal_theme="simple",
    )
    node = nbformat.reads(json.dumps(content), as_version=4)
    page, _ = exporter.from_notebook_node(node)
    target = root / FOLDER / f"{notebook.stem}.slides.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page, encoding="utf-8")
    return target


def is_heading(cell: dict[str, Any]) -> bool:
    """Return whether a cell begins a section."""
    return "".join(cell["source"]).startswith(("# ", "## "))


def slides_of(cell: dict[str, Any], below_heading: bool = False) -> list[dict[str, Any]]:
    """Return the cells of the slides that show one cell of a notebook.

    Args:
        cell: the cell.
        below_heading: whether the cell before it begins a section.
    """
    outputs = cell.get("outputs", [])
    # A picture, and code that is shown, get the whole slide. The notebook has the cell.
    drawn = any("image/png" in each.get("data", {}) for each in outputs)
    hidden = drawn or bool(SHOW.match("".join(cell["source"])))
    lines = 0 if hidden else len("".join(cell["source"]).splitlines())
    parts = [(hidden, outputs)]
    if not drawn and lines + sum(map(height, outputs)) > LINES_ON_SLIDE:
        parts = [(True, [piece]) for output in outputs for piece in pieces(output)]
        if not hidden:
            parts.insert(0, (False, []))
    slides = []
    for number, (without_source, shown) in enumerate(parts):
        slide = copy.deepcopy(cell)
        if "outputs" in slide:
            slide["outputs"] = shown
        kind = "subslide" if number else slide_type(cell, below_heading)
        transient = {"remove_source": without_source}
        slide["metadata"] = {"slideshow": {"slide_type": kind}, "transient": transient}
        slide["id"] = f"{cell['id']}-{number}" if number else cell["id"]
        slides.append(slide)
    return slides


def text_of(output: dict[str, Any]) -> str:
    """Return the Markdown, or else the printed text of an output."""
    return "".join(output.get("data", {}).get("text/markdown", output.get("text", "")))


def height(output: dict[str, Any]) -> int:
    """Return the height of an output, in lines of code; a row of a table is higher than a line."""
    lines = text_of(output).splitlines()
    return math.ceil(sum(2.2 if line.startswith("|") else 1 for line in lines))


def pieces(output: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an output, or, if it is longer than a slide, the pieces of its text."""
    text = text_of(output)
    if height(output) <= LINES_ON_SLIDE or text.startswith("|"):
        yield output
    elif listings := LISTING.findall(text):
        for name, code in listings:
            for piece in cut(code):
                data = {"text/markdown": f"`{name}`\n\n```python\n{piece}\n```"}
                yield {"output_type": "display_data", "metadata": {}, "data": data}
    else:
        for piece in cut(text):
            yield {"output_type": "stream", "name": "stdout", "text": piece}


def cut(text: str) -> list[str]:
    """Return the pieces of a text that fit on a slide each, cut where a line is empty."""
    lines, found = text.strip("\n").splitlines(), []
    most = LINES_ON_SLIDE - 2  # the name of the file is above them
    while len(lines) > most:
        empty = [number for number in range(1, most + 1) if not lines[number].strip()]
        end = empty[-1] if empty else most
        found.append("\n".join(lines[:end]).rstrip())
        lines = "\n".join(lines[end:]).strip("\n").splitlines()
    return [*found, "\n".join(lines)]


def slide_type(cell: dict[str, Any], below_heading: bool) -> str:
    """Return the place of a cell: a new column, a new slide, the slide before it, or none."""
    if "answer" in cell["metadata"].get("tags", []):
        return "skip"
    if is_heading(cell):
        return "slide"
    shows = below_heading and SHOW.match("".join(cell["source"]))
    if shows and sum(map(height, cell["outputs"])) <= LINES_BELOW_HEADING:
        return "-"  # the code that a section is about stands below its heading
    return "subslide"
