"""Read the pages of the lessons: their steps, code, commands and the output shown below them.

A comment in front of a fenced block says where the block comes from (see CONTRIBUTING.md):

    <!-- excerpt: routing.py#HelloHandler -->  a part of a script
    <!-- session: routing.py -->               commands that are run while the script serves
    <!-- command: option_types.py -->          starts of the script that end by themselves
    <!-- change: app.py -->                    a change that the reader makes in a copy
    <!-- broken: app.py -->                    commands that are run while the changed copy serves
    <!-- log -->                               lines of the server's log after that session
    <!-- diff: app.py -->                      a part of the diff from the stage before
"""

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from course.catalog import Lesson, UnknownNameError
from course.translation import translate

FENCE = re.compile(
    r"^(?:<!-- (?P<kind>[a-z]+)(?:: (?P<source>.+?))? -->\n)?"
    r"```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.M | re.S,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, with the comment in front of it.

    Attributes:
        page: the file that holds the block.
        line: the number of the block's first line, counted from 1.
        kind: "excerpt", "session", "command", "change", "broken", "log", "diff", or "" without a
            comment.
        source: the text after the kind in the comment.
        language: the word after the three backticks.
        text: the lines between the fences.
    """

    page: Path
    line: int
    kind: str
    source: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.parent.name}/{self.page.name}:{self.line}"

    @property
    def script(self) -> Path:
        """The script of a session, of a changed copy, or of an excerpt."""
        return self.page.parent / self.source.partition("#")[0].split()[0]

    @property
    def arguments(self) -> list[str]:
        """The options with which the script of a session is started."""
        return self.source.split()[1:]


@dataclass(frozen=True)
class Session:
    """Commands to run while a script serves, or starts of a script that ends by itself.

    Attributes:
        block: the commands, with the output shown below each.
        changes: the changes to make in a copy of the lesson before the start.
        logs: the parts of the server's log that the page shows after the session.
    """

    block: Block
    changes: tuple[Block, ...] = ()
    logs: list[Block] = field(default_factory=list)

    def __str__(self) -> str:
        return str(self.block)

    @property
    def serves(self) -> bool:
        """Whether the script serves while the commands run."""
        return self.block.kind != "command"

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Each command with the output shown below it."""
        return list(commands(self.block.text))


@dataclass(frozen=True)
class Step:
    """A section of a page that is one step of the lesson.

    Attributes:
        page: the file that holds the step.
        number: the number of the step in the page, counted from 1.
        title: the heading, without "Step 1: ".
        text: the Markdown after the heading.
        first, last: the numbers of the step's first and last line.
    """

    page: Path
    number: int
    title: str
    text: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.page.parent.name}/{self.page.name}, step {self.number}"

    def sessions(self) -> list[Session]:
        """Return the sessions of this step."""
        return [one for one in sessions(self.page) if self.first <= one.block.line <= self.last]

    def blocks(self) -> list[Block]:
        """Return the fenced blocks of this step."""
        return [block for block in blocks(self.page) if self.first <= block.line <= self.last]


def step_pages(lesson: Path) -> list[Path]:
    """Return the pages of a lesson that have steps: README.md, then FURTHER.md if it exists.

    A lesson that builds a program in stages has a page for each stage.
    """
    pages = [lesson / name for name in ("README.md", "FURTHER.md")]
    pages += sorted(lesson.glob("stage_[0-9][0-9]/README.md"))
    return [page for page in pages if page.exists()]


def blocks(page: Path) -> list[Block]:
    """Return all fenced blocks of a page, in order."""
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


def sessions(page: Path) -> list[Session]:
    """Return the sessions of a page, each with the change before it and the log after it.

    Raises:
        ValueError: a log without a session before it, a broken session without a change, or a
            command without the name of its script.
    """
    found: list[Session] = []
    changes: tuple[Block, ...] = ()
    for block in blocks(page):
        if block.kind == "change":
            changes = (block,)
        elif block.kind in ("session", "command"):
            if not block.source:
                raise ValueError(f"{block}: the comment names no script")
            found.append(Session(block))
        elif block.kind == "broken":
            if not changes:
                raise ValueError(f"{block}: there is no change before it")
            found.append(Session(block, changes))
        elif block.kind == "log":
            if not found:
                raise ValueError(f"{block}: there is no session before it")
            found[-1].logs.append(block)
    return found


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with the output shown below it.

    Raises:
        ValueError: the block does not begin with a command.
    """
    if not text.startswith("$ "):
        raise ValueError(f"a session begins with a command: {text!r}")
    for part in ("\n" + text).split("\n$ ")[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def steps(page: Path) -> list[Step]:
    """Return the sections of a page whose heading is `## Step N: title`, in order."""
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    headings = [number for number, line in enumerate(lines) if line.startswith("## ")]
    found = []
    for first, last in zip(headings, [*headings, len(lines)][1:], strict=True):
        if match := re.fullmatch(r"## Step (\d+): (.+)\n", lines[first]):
            text = "".join(lines[first + 1 : last]).strip() + "\n"
            found.append(Step(page, int(match[1]), match[2], text, first + 1, last))
    return found


def find_step(lesson: Lesson, number: int) -> Step:
    """Return a step of a lesson's README.md.

    Raises:
        UnknownNameError: the lesson has no step of this number.
    """
    for step in steps(lesson.folder / "README.md"):
        if step.number == number:
            return step
    raise UnknownNameError(
        translate("Lesson {lesson} has no step {number}.", lesson=lesson.number, number=number)
    )


def apply_change(text: str, diff: str) -> str:
    """Return a text with a change made in it.

    Args:
        text: the file as it is.
        diff: lines that begin with `-` are replaced by lines that begin with `+`; lines that begin
            with a space stay.

    Raises:
        ValueError: the text does not hold the old lines exactly once.
    """
    lines = diff.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if not line.startswith("+"))
    new = "".join(line[1:] for line in lines if not line.startswith("-"))
    if text.count(old) != 1:
        raise ValueError(f"these lines are not in the file exactly once:\n{old}")
    return text.replace(old, new)


def excerpt(source: Path, names: str = "") -> str:
    """Return the named parts of a file, in the order of the names; without names, the whole file.

    Args:
        source: the file.
        names: classes, functions, `Class.method`s or regions, separated by commas.

    Raises:
        LookupError: the file has no part of that name, or several.
    """
    text = source.read_text(encoding="utf-8")
    if not names:
        return text
    return "\n\n".join(_definition(source, text, name.strip()) for name in names.split(","))


def _definition(source: Path, text: str, name: str) -> str:
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
    node = nodes[0] if len(nodes) == 1 else None
    if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        raise LookupError(f"{source.name} has {len(nodes)} definitions of {name}")
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return textwrap.dedent("".join(text.splitlines(keepends=True)[first - 1 : node.end_lineno]))


def matches_output(shown: str, real: str) -> bool:
    """Return whether real output equals the output that a page shows.

    In the page, `...` within a line stands for any text, and `...` as a whole line for any lines.
    """
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line).replace(r"\.\.\.", ".*") + "\n"
        for line in shown.rstrip().splitlines()
    )
    text = real.rstrip().replace("\r\n", "\n")
    return re.fullmatch(pattern, f"{text}\n" if text else "") is not None
