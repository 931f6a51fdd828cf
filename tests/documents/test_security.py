"""SECURITY.md has the rule of each number that the security tests use, and links its tests."""

import re
from collections.abc import Iterable
from pathlib import Path

from tests.support.lesson_pages import ROOT

PAGE = ROOT / "SECURITY.md"
TESTS = ROOT / "tests" / "capstone" / "security"
ROW = re.compile(r"^\| (?P<number>\d+) \| (?P<rule>[^|]+) \| [^|]+ \| (?P<tests>[^|]+) \|$", re.M)


def linked_files(page: str) -> dict[int, set[str]]:
    """Return the test files that the row of each rule links, as paths below the project."""
    return {
        int(row["number"]): set(re.findall(r"\]\(([^)]+)\)", row["tests"]))
        for row in ROW.finditer(page)
    }


def numbered_files(files: Iterable[Path]) -> dict[int, set[str]]:
    """Return the test files of each number, as paths below the project."""
    found: dict[int, set[str]] = {}
    for file in files:
        if match := re.match(r"test_(\d+)_", file.name):
            found.setdefault(int(match[1]), set()).add(file.relative_to(ROOT).as_posix())
    return found


def test_each_rule_links_the_tests_of_its_number_and_each_test_has_a_rule() -> None:
    assert linked_files(PAGE.read_text(encoding="utf-8")) == numbered_files(TESTS.glob("*.py"))


def test_the_rules_are_numbered_in_order_and_no_number_is_used_twice() -> None:
    numbers = [int(row["number"]) for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_readme_of_the_chat_states_how_many_rules_there_are() -> None:
    readme = (ROOT / "capstone_chat" / "README.md").read_text(encoding="utf-8")
    count = len(linked_files(PAGE.read_text(encoding="utf-8")))
    assert f"{count} in all" in readme


def test_a_rule_without_a_test_and_a_test_without_a_rule_are_noticed() -> None:
    page = "| 1 | A rule. | - | [ids](tests/capstone/security/test_01_ids.py) |\n"
    one, two = TESTS / "test_01_ids.py", TESTS / "test_02_more.py"
    assert linked_files(page) == numbered_files([one])
    assert linked_files(page) != numbered_files([one, two])
    assert linked_files(page) != numbered_files([])
