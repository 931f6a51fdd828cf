"""Read the READMEs of the lessons: their blocks, links and headings (see CONTRIBUTING.md)."""

import ast
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LESSONS_FOLDER = ROOT / "lessons"
LESSONS = sorted(path for path in LESSONS_FOLDER.glob("[0-9][0-9]_*") if path.is_dir())
READMES = [page for lesson in LESSONS if (page := lesson / "README.md").exists()]
PAGES = [*sorted(LESSONS_FOLDER.glob("*.md")), *READMES]
SCRIPTS = [script for lesson in LESSONS for script in sorted(lesson.glob("*.py"))]

FENCE = re.compile(
    r"^(?:<!-- (?P<kind>[a-z]+)(?:: (?P<source>.+?))? -->\n)?"
    r"```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.M | re.S,
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def name_of(path: Path) -> str:
    """The path as a test's id: lessons/01_hello/app.py."""
    return path.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Block:
    """A fenced block and the comment in front of it."""

    page: Path
    line: int
    kind: str
    source: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{name_of(self.page)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    prose = page.read_text(encoding="utf-8")
    return [
        Block(
            page=page,
            line=prose.count("\n", 0, match.start()) + 1,
            kind=match["kind"] or "",
            source=match["source"] or "",
            language=match["language"],
            text=match["text"],
        )
        for match in FENCE.finditer(prose)
    ]


def links(page: Path) -> list[str]:
    """The targets of all links and pictures of a page."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    return [first or second for first, second in LINK.findall(prose)]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of the headings of a page."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", prose, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def excerpt(source: Path, names: str = "") -> str:
    """The text of what is named in a file, in that order; all of it for no name.

    Args:
        source: the file.
        names: classes, functions, `Class.method`s or regions, separated by commas.

    Raises:
        LookupError: the file has nothing of that name.
    """
    text = source.read_text(encoding="utf-8")
    if not names:
        return text
    return "\n\n".join(_named(source, text, name.strip()) for name in names.split(","))


def _named(source: Path, text: str, name: str) -> str:
    region = re.search(
        rf"# region {re.escape(name)}\b.*?\n(.*?)^[^\n]*# endregion", text, re.M | re.S
    )
    if region:
        return textwrap.dedent(region[1])
    if source.suffix != ".py":
        raise LookupError(f"{source.name} has no region {name}")
    nodes: list[ast.AST] = [ast.parse(text)]
    for part in name.split("."):
        nodes = [
            child
            for node in nodes
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and child.name == part
        ]
    if len(nodes) != 1:
        raise LookupError(f"{source.name} has {len(nodes)} definitions of {name}")
    node = nodes[0]
    assert isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return textwrap.dedent("".join(text.splitlines(keepends=True)[first - 1 : node.end_lineno]))


def matches(shown: str, real: str) -> bool:
    """Whether real output is what a page shows; `...` stands for what differs from run to run.

    Within a line it stands for any text, as a line of its own for any lines.
    """
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line).replace(r"\.\.\.", ".*") + "\n"
        for line in shown.rstrip().splitlines()
    )
    text = real.rstrip().replace("\r\n", "\n")
    return re.fullmatch(pattern, f"{text}\n" if text else "") is not None
