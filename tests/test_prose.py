"""Rules for docstrings and comments: a noun or an imperative first, understood without the code."""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_source_rules import FILES, ROOT

CHECKED = (
    *("benchmarks", "capstone_chat", "course", "fault_injection", "notebooks", "scripts"),
    "learn.py",
)
SUPPORT = ("tests", "support")

SHORTEST = 12
"""Minimum number of characters of a first line: fewer only repeat the name."""

NO_SUBJECT = re.compile(
    r"(What|Who|Whom|Whose|Whoever|Whatever|How|Why|Where|When|It|Its|This|That|These|Those|They|"
    r"Their|There|Let|Look|Say|Says|Tell|Tells|Somebody|Nobody|Everybody)\b"
)
"""Beginnings of a first line without a noun that names the object, or an action."""

CLAUSE = re.compile(r"(What|Who|Whoever|Those who|He who|Whatever is)\b")
"""Beginnings of a sentence whose subject is a relative clause."""

VAGUE = re.compile(r"\b(somebody|nobody|everybody|anew|in vain|mend|heaps)\b", re.I)
"""Words in place of which the glossary has a noun (user, client), or English a common word."""

Prose = tuple[int, str]
"""The number of the first line, and the text."""


def python_files() -> list[Path]:
    """Return the files whose prose is checked."""
    found = []
    for file in FILES:
        path = file.relative_to(ROOT)
        if path.parts[0] in CHECKED or path.parts[:2] == SUPPORT:
            found.append(file)
    return found


def docstrings(source: str) -> Iterator[Prose]:
    """Yield the docstrings of a module, of its classes, functions and attributes."""
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else []:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                text = statement.value.value
                if isinstance(text, str):
                    yield statement.lineno, text


def comments(file: Path) -> Iterator[Prose]:
    """Yield the comments of a file; lines below each other are one comment."""
    text, first, last = "", 0, (0, 0)
    with file.open("rb") as stream:
        for token in tokenize.tokenize(stream.readline):
            if token.type != tokenize.COMMENT:
                continue
            line = token.string.lstrip("#! ")
            if text and token.start == (last[0] + 1, last[1]):
                text += f" {line}"
            else:
                if text:
                    yield first, text
                text, first = line, token.start[0]
            last = token.start
    if text:
        yield first, text


def first_line_problem(docstring: str) -> str:
    """Return the reason why the first line of a docstring is refused, or ""."""
    line = docstring.strip().partition("\n")[0]
    if len(line) < SHORTEST:
        return f"{line!r} only repeats the name"
    if found := NO_SUBJECT.match(line):
        return f"{found[0]!r} is neither a noun nor an action: {line}"
    return ""


def clauses(text: str) -> list[str]:
    """Return the sentences of a text whose subject is a relative clause; questions are allowed."""
    sentences = re.split(r"(?<=[.:;!?])\s+", text.strip())
    return [one for one in sentences if CLAUSE.match(one) and not one.endswith("?")]


def test_prose_names_its_subjects() -> None:
    problems = []
    for file in python_files():
        place = file.relative_to(ROOT).as_posix()
        found = list(docstrings(file.read_text(encoding="utf-8")))
        for line, text in found:
            if problem := first_line_problem(text):
                problems.append(f"{place}:{line}: {problem}")
        for line, text in [*found, *comments(file)]:
            problems += [f"{place}:{line}: a clause is the subject: {one}" for one in clauses(text)]
            problems += [f"{place}:{line}: {word}: name it" for word in VAGUE.findall(text)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    "docstring",
    [
        "Connect.",
        "It has begun.",
        "What hears a bus.",
        "Let a new socket hear its topic.",
        "Its number in the list.",
        "Say it in one line.",
    ],
)
def test_a_first_line_without_a_subject_is_found(docstring: str) -> None:
    assert first_line_problem(docstring)


@pytest.mark.parametrize(
    "docstring",
    ["Register an operation.", "Item of a list.", "Letters of a name.", "Whether a lock is held."],
)
def test_a_first_line_with_a_subject_passes(docstring: str) -> None:
    assert not first_line_problem(docstring)


def test_clauses_as_subjects_are_found(tmp_path: Path) -> None:
    text = "A batch. What is beyond is\n  lost: who asks twice waits. Who has asked? Whose is it?"
    assert [one.split()[0] for one in clauses(text)] == ["What"]
    file = tmp_path / "code.py"
    file.write_text("# Nothing is\n# lost. What is late is dropped.\na = 1  # one\n", "utf-8")
    assert [line for line, text in comments(file) if clauses(text)] == [1]


def test_vague_words_are_found() -> None:
    assert VAGUE.findall("Nobody is told; a mender of heaps begins anew.") == [
        *("Nobody", "heaps", "anew"),
    ]


def test_docstrings_of_all_kinds_are_read() -> None:
    source = (
        '"""A."""\nclass B:\n    """B."""\n    c = 1\n    """C."""\n'
        '    def d():\n        """D."""\n    e = lambda: 1\n'
    )
    assert {text for _, text in docstrings(source)} == {"A.", "B.", "C.", "D."}
