"""lessons/concepts.toml names what exists, and the index in lessons/CONCEPTS.md is made from it."""

import ast
from pathlib import Path

import pytest

from scripts.concept_index import (
    CAPSTONE,
    LESSONS,
    Concept,
    read_concepts,
    render_index,
    replace_index,
)
from tests.support.lesson_pages import ROOT, SCRIPTS, anchors, name_of

CONCEPTS = read_concepts()
every_concept = pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.id)


def docstring_of(test: str) -> str | None:
    """The docstring of a pytest node, or None where there is no such test."""
    file, *names = test.split("::")
    path = ROOT / file
    node: ast.AST | None = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else None
    for name in names:
        children = ast.iter_child_nodes(node) if node else ()
        node = next((child for child in children if getattr(child, "name", "") == name), None)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return ast.get_docstring(node) or ""
    return None


def test_each_concept_is_there_once() -> None:
    ids = [concept.id for concept in CONCEPTS]
    assert len(ids) == len(set(ids))


@every_concept
def test_the_place_exists(concept: Concept) -> None:
    file, _, heading = concept.link.partition("#")
    path = LESSONS / file
    assert path.is_file(), f"{concept.id}: no file {file} beside lessons/CONCEPTS.md"
    assert concept.where.startswith(f"{concept.lesson}/") or concept.lesson != CAPSTONE
    if heading:
        assert heading in anchors(path), f"{concept.id}: no heading {heading} in {file}"


@every_concept
def test_a_concept_that_only_a_page_shows_has_a_reason(concept: Concept) -> None:
    only_a_page = concept.where.partition("#")[0].endswith(".md")
    assert only_a_page == bool(concept.reason), f"{concept.id}: show it by a script, or say why not"


@every_concept
def test_the_test_exists_and_names_the_concept(concept: Concept) -> None:
    if concept.test:
        docstring = docstring_of(concept.test)
        assert docstring is not None, f"{concept.id}: no test {concept.test}"
        assert concept.id in docstring, f"{concept.test} does not name {concept.id}"


@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_a_script_shows_a_concept(script: Path) -> None:
    shown = {concept.where for concept in CONCEPTS}
    assert script.relative_to(LESSONS).as_posix() in shown


def test_the_index_is_made_from_the_concepts() -> None:
    page = (LESSONS / "CONCEPTS.md").read_text(encoding="utf-8")
    assert page == replace_index(page, CONCEPTS), "run: python -m scripts.concept_index"


def test_the_index_has_a_row_for_a_concept() -> None:
    concept = Concept(
        "C999", "Nets", "10_sea", "10_sea/nets.py", "tests/test_sea.py::Nets::test_a_b"
    )
    row = "| C999 Nets | [nets.py](10_sea/nets.py) | [a b](../tests/test_sea.py) |"
    assert row in render_index([concept])


def test_the_capstone_is_linked_beside_the_lessons() -> None:
    concept = Concept("C999", "Nets", CAPSTONE, f"{CAPSTONE}/nets.py")
    assert "| C999 Nets | [nets.py](../capstone_chat/nets.py) |  |" in render_index([concept])


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the line"):
        replace_index("# A page\n", CONCEPTS)
