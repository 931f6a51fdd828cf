"""Write the concept index, lessons/CONCEPTS.md, from lessons/concepts.toml.

Run this script after a change of concepts.toml:  python -m scripts.concept_index
"""

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

LESSONS = Path(__file__).resolve().parents[1] / "lessons"
CAPSTONE = "capstone_chat"
BEGIN = "<!-- concepts: written by python -m scripts.concept_index -->"
END = "<!-- end of concepts -->"


@dataclass(frozen=True)
class Concept:
    """A concept of the curriculum, with the place that shows it and the test that proves it.

    Attributes:
        id: the number in the curriculum, such as C018.
        title: the name, a few words.
        lesson: the folder of the lesson, such as 01_hello, or capstone_chat.
        where: a file under lessons/, for a page with the heading: 01_hello/README.md#run-it; or
            a file of the capstone: capstone_chat/accounts/captcha.py.
        test: the pytest node that proves the concept, or "" if there is no code to run.
        reason: why a page shows the concept and no script does, or "".
    """

    id: str
    title: str
    lesson: str
    where: str
    test: str = ""
    reason: str = ""

    @property
    def link(self) -> str:
        """The path of the file that shows the concept, relative to lessons/CONCEPTS.md."""
        return f"../{self.where}" if self.lesson == CAPSTONE else self.where


def read_concepts(folder: Path = LESSONS) -> list[Concept]:
    """Return the concepts in the order of their ids."""
    catalog = tomllib.loads((folder / "concepts.toml").read_text(encoding="utf-8"))
    concepts = [Concept(**entry) for entry in catalog["concept"]]
    return sorted(concepts, key=lambda concept: concept.id)


def render_index(concepts: list[Concept]) -> str:
    """Return the index as Markdown: for each lesson a table of its concepts."""
    lines: list[str] = []
    for lesson in sorted({concept.lesson for concept in concepts}):
        lines += ["", f"## {lesson}", "", "| Concept | Shown in | Proved by |", "|---|---|---|"]
        lines += [_row(concept) for concept in concepts if concept.lesson == lesson]
    return "\n".join([*lines, ""])


def _row(concept: Concept) -> str:
    page = concept.where.partition("#")[0].removeprefix(f"{concept.lesson}/")
    file, _, node = concept.test.partition("::")
    name = node.rpartition("::")[2].removeprefix("test_").replace("_", " ")
    proof = f"[{name}](../{file})" if file else ""
    return f"| {concept.id} {concept.title} | [{page}]({concept.link}) | {proof} |"


def replace_index(page: str, concepts: list[Concept]) -> str:
    """Return the page with a new index between its two markers.

    Raises:
        ValueError: the page lacks a marker.
    """
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the page lacks the line {BEGIN} or, below it, {END}")
    return f"{before}{BEGIN}\n{render_index(concepts)}\n{END}{after}"


def main() -> int:
    """Write the index; return the exit status."""
    page = LESSONS / "CONCEPTS.md"
    page.write_text(
        replace_index(page.read_text(encoding="utf-8"), read_concepts()), encoding="utf-8"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
