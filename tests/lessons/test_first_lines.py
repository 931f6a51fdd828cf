"""The first line of a docstring names its subject or its action, in the lessons too."""

import ast
import re

import pytest

from tests.support.lesson_pages import LESSONS_FOLDER

WITHOUT_SUBJECT = re.compile(r"(What|Who|Whoever|It|Its|Those|Let|Look|Say|That)\b")

FILES = sorted(LESSONS_FOLDER.rglob("*.py"))


def first_lines(source: str) -> list[str]:
    """Return the first line of each docstring; a file with a wrong syntax has none."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a wrong answer, or code for Python 2
        return []
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = (ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, kinds))
    return [text.splitlines()[0] for text in found if text]


@pytest.mark.parametrize("line", ["What all handlers share.", "Let it pass.", "Its number."])
def test_a_first_line_without_a_subject_is_found(line: str) -> None:
    assert [each for each in first_lines(f'"""{line}"""') if WITHOUT_SUBJECT.match(each)]


def test_each_first_line_names_its_subject_or_its_action() -> None:
    assert len(FILES) > 500
    wrong = [
        f"{file.relative_to(LESSONS_FOLDER)}: {line}"
        for file in FILES
        for line in first_lines(file.read_text(encoding="utf-8"))
        if WITHOUT_SUBJECT.match(line)
    ]
    assert wrong == []
