"""Draw the diagrams of the tour's pages: python -m tests.browser.diagram_pictures

Mermaid draws each diagram once in Chromium; the pictures are committed, so the tour does not need
it. The pictures follow light and dark. Needs requirements/dev.txt, Chromium, npm and a network.
"""

import subprocess
import tarfile
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from course.catalog import Catalog
from course.pages import blocks
from course.tour.diagrams import FOLDER, picture_of
from course.tour.outline import outline
from tests.support.chromium import running, using

ROOT = Path(__file__).resolve().parents[2]
MERMAID = "mermaid@11.17.2"
SCRIPT = "package/dist/mermaid.min.js"
STYLE = """
:root { --ink: #1d2329; --muted: #59636e; --box: #e8f1fb; --edge: #0b5cad; --paper: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e1e6eb; --muted: #9da7b1; --box: #1d2f43; --edge: #7cb8f5; --paper: #14181c; }
}
text { font: 14px system-ui, sans-serif; fill: var(--ink); }
.node text, .edgeLabel text { text-anchor: middle; }
.actor, .node rect, .node circle, .node path, .node polygon {
  fill: var(--box); stroke: var(--edge); stroke-width: 1px;
}
text.actor { fill: var(--ink); stroke: none; }
.actor-line { stroke: var(--muted); stroke-width: 1px; }
.messageLine0, .messageLine1, .flowchart-link {
  stroke: var(--muted); stroke-width: 1.5px; fill: none;
}
.messageLine1 { stroke-dasharray: 3 3; }
.edge-pattern-dotted { stroke-dasharray: 3 3; }
text.messageText { font-size: 13px; stroke: var(--paper); stroke-width: 4px; paint-order: stroke; }
.labelBkg, .edgeLabel rect, rect.background { fill: var(--paper); stroke: none; }
marker path, .marker, .arrowheadPath { fill: var(--muted); stroke: var(--muted); }
"""
DRAW = """async ([source, style]) => {
    const messages = [...source.matchAll(/^ *([^:]+?)-?->>([^:]+?):/gm)];
    // Beside its own line of life a short text has room.
    const text = source.replace(
        /^( *)(.+?)->>\\2: (.{1,38})$/gm, "$1$2->>$2: nowrap: $3");
    const actors = new Set(messages.flatMap(([, from, to]) => [from, to])).size;
    const width = actors > 3 ? 120 : 200;
    const gap = Math.max(40, (640 - width * actors) / Math.max(actors - 1, 1));
    mermaid.initialize({
        startOnLoad: false, theme: "base", htmlLabels: false, fontFamily: "system-ui, sans-serif",
        sequence: {mirrorActors: false, wrap: true, width, height: 40, actorMargin: gap,
                   messageFontSize: 14, actorFontSize: 14, diagramMarginX: 8, diagramMarginY: 8,
                   useMaxWidth: false},
        flowchart: {htmlLabels: false, useMaxWidth: false, wrappingWidth: 160, nodeSpacing: 24,
                    rankSpacing: 40, padding: 10, diagramPadding: 8},
    });
    const draw = async written => {
        document.body.innerHTML = (await mermaid.render("diagram", written)).svg;
        return document.querySelector("svg");
    };
    let picture = await draw(text);
    if (picture.viewBox.baseVal.width > 700) {
        picture = await draw(text.replace("flowchart LR", "flowchart TB"));
    }
    picture.querySelectorAll("style").forEach(one => one.remove());
    const drawn = picture.outerHTML;
    for (const one of picture.querySelectorAll("defs > [id], marker[id], symbol[id]")) {
        if (!drawn.includes(`#${one.id})`)) one.remove();
    }
    picture.querySelectorAll("defs:empty").forEach(one => one.remove());
    const own = document.createElementNS("http://www.w3.org/2000/svg", "style");
    own.textContent = style;
    picture.prepend(own);
    const box = picture.viewBox.baseVal;
    for (const name of ["style", "class", "role", "aria-roledescription"]) {
        picture.removeAttribute(name);
    }
    picture.setAttribute("width", Math.ceil(box.width));
    picture.setAttribute("height", Math.ceil(box.height));
    return new XMLSerializer().serializeToString(picture);
}"""


def sources() -> list[str]:
    """Return the diagrams of all Markdown pages of the tour."""
    places = outline(Catalog(ROOT)).places()
    pages = {place.part.page for place in places if place.part}
    pages |= {place.file for place in places if place.file and place.file.suffix == ".md"}
    every = [block for page in sorted(pages) for block in blocks(page)]
    return [block.text for block in every if block.language == "mermaid"]


def mermaid_script() -> str:
    """Return Mermaid's script from the npm registry."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", MERMAID], cwd=folder, check=True, capture_output=True)
        (package,) = Path(folder).glob("*.tgz")
        with tarfile.open(package) as archive:
            archive.extract(SCRIPT, folder, filter="data")
        return (Path(folder) / SCRIPT).read_text(encoding="utf-8")


def draw(page: Page, source: str) -> None:
    """Draw one diagram, and keep it."""
    picture: str = page.evaluate(DRAW, [source, STYLE])
    picture_of(source).write_text(f"{picture}\n", encoding="utf-8")


def main() -> None:
    """Draw all diagrams, and remove the pictures of old ones."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.svg"):
        old.unlink()
    script = mermaid_script()
    with running() as chromium, using(chromium):
        page = chromium.new_page()
        page.set_content("<!doctype html><body>")
        page.add_script_tag(content=script)
        for source in sources():
            draw(page, source)


if __name__ == "__main__":
    main()
