"""What a learner reads goes through `translate`, as a constant text with named values."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from course.translation import translate
from tests.support.script_server import ROOT

RUNNER = [ROOT / "learn.py", *sorted((ROOT / "course").rglob("*.py"))]
CHECKS = sorted(ROOT.glob("lessons/*/exercises/check_*.py"))
WORDS = re.compile(r"[A-Za-z]{2,} (?!http)[a-z]{2,}")
SHOWN = {"print_line", "secho", "echo", "print", "style"}
"""The calls that print."""
RAISED = {
    *("UnknownNameError", "EnvironmentNotReady", "DemoError", "NoChangeError", "NotRestoredError"),
    "InvalidSubmission",
}
"""The errors whose message is printed."""
INTERNAL = {"CatalogError", "ValueError", "TypeError", "LookupError"}
"""The errors that only an author of the course sees."""


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def has_words(node: ast.expr) -> bool:
    """Return whether a text in the source, or a part of one with values in it, is a sentence."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return any(
        isinstance(part, ast.Constant)
        and isinstance(part.value, str)
        and bool(WORDS.search(part.value))
        for part in parts
    )


@pytest.mark.parametrize("file", RUNNER, ids=lambda path: path.name)
def test_what_is_printed_is_translated(file: Path) -> None:
    for call in calls(ast.parse(file.read_text(encoding="utf-8"))):
        if name_of(call) in SHOWN | RAISED:
            bare = [ast.unparse(argument) for argument in call.args if has_words(argument)]
            assert not bare, f"{file.name}, line {call.lineno}: translate({bare[0]})"


@pytest.mark.parametrize("file", RUNNER, ids=lambda path: path.name)
def test_no_sentence_has_its_values_in_it(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    internal = {
        id(node)
        for call in calls(tree)
        if name_of(call) in INTERNAL
        for node in ast.walk(call)
        if isinstance(node, ast.JoinedStr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and id(node) not in internal:
            assert not has_words(node), f"{file.name}, line {node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("file", CHECKS, ids=lambda path: path.name)
def test_what_a_check_advises_is_a_constant(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for call in calls(tree):
        for keyword in call.keywords:
            if keyword.arg == "advice" and isinstance(keyword.value, ast.JoinedStr):
                # Several constants, a line each, are translated one by one.
                where = f"{file.name}, line {keyword.value.lineno}"
                assert not has_words(keyword.value), where


def test_a_text_with_values_has_their_names() -> None:
    for file in RUNNER:
        for call in calls(ast.parse(file.read_text(encoding="utf-8"))):
            if name_of(call) == "translate" and isinstance(call.args[0], ast.Constant):
                names = set(re.findall(r"\{(\w+)\}", str(call.args[0].value)))
                given = {keyword.arg for keyword in call.keywords}
                assert not call.keywords or names == given, f"{file.name}, line {call.lineno}"


def test_values_are_filled_in_and_braces_are_kept_without_values() -> None:
    assert translate("{solved} of {count}", solved=1, count=2) == "1 of 2"
    assert translate('answer {"code": 409}') == 'answer {"code": 409}'


def test_goals_and_hints_are_plain_texts() -> None:
    for file in ROOT.glob("lessons/*/exercises/exercises.toml"):
        for exercise in tomllib.loads(file.read_text(encoding="utf-8"))["exercise"]:
            assert all(
                isinstance(text, str) and text.strip()
                for text in (exercise["title"], exercise["goal"], *exercise["hints"])
            )
