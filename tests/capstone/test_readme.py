"""The chat's README names files and tests that are there."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"


class ReadmeTest(unittest.TestCase):
    text = (ROOT / "capstone_chat/README.md").read_text(encoding="utf-8")

    def test_every_test_that_shows_a_promise_is_there(self) -> None:
        table = self.text.partition("## What it promises")[2].partition("\n## ")[0]
        promises = [line for line in table.splitlines() if line.startswith("| ")][1:]
        self.assertGreater(len(promises), 9)
        for promise in promises:
            with self.subTest(promise):
                shown_by = re.findall(r"`([\w/]+)(?:\.py)?`", promise.split("|")[-2])
                self.assertTrue(shown_by)
                for name in shown_by:
                    self.assertTrue(self._is_there(name), name)

    def test_every_file_and_folder_has_a_row_in_the_table_of_layers(self) -> None:
        table = self.text.partition("## The layers")[2].partition("\n## ")[0]
        for path in (ROOT / "capstone_chat").iterdir():
            if path.suffix == ".py" and path.name != "__init__.py":
                self.assertIn(f"`{path.name}`", table)
            if (path / "__init__.py").exists():
                self.assertIn(f"`{path.name}/`", table)

    def _is_there(self, name: str) -> bool:
        if (ROOT / f"{name}.py").exists() or any(TESTS.glob(f"capstone/**/{name}.py")):
            return True
        return any(
            f"def {name}(" in path.read_text(encoding="utf-8")
            for path in TESTS.glob("capstone/**/test_*.py")
        )
