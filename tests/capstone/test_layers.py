"""Imports go down the floors of the house, never up, and nothing grows past what one file holds."""

import ast
import graphlib
import unittest
from pathlib import Path

import capstone_chat

HOUSE = Path(capstone_chat.__file__).parent
LONGEST = 300

FLOORS = [
    {"__main__", "admin"},
    {"app"},
    {"handlers"},
    {"chat", "logs"},
    {"arrivals", "contacts", "conversations", "groups", "messages", "sessions"},
    {"accounts", "captcha", "hub", "throttle"},
    {"membership"},
    {"events"},
    {"people"},
    {
        *("protocol", "bus", "redis_bus", "elsewhere", "passwords", "names", "limits"),
        *("avatars", "metrics", "underway"),
        *("database", "lookups", "engines", "schema", "migrations", "options"),
    },
]
"""From the roof down. A new file says here on which floor it lives."""

LIFT = {name: floor for floor, names in enumerate(FLOORS) for name in names}


def files() -> list[Path]:
    return sorted(HOUSE.rglob("*.py"))


def module(path: Path) -> str:
    """`handlers/base.py` is `handlers.base`, `handlers/__init__.py` is `handlers`."""
    return ".".join(path.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """The files of the house that a file imports, anywhere in it."""
    known = {module(other) for other in files()}
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "capstone_chat":
                # `from a.b import c`: c is a file or something in the file a.b
                inner = [".".join(parts[1:end]) for end in range(len(parts), 1, -1)]
                found.add(next(one for one in inner if one in known))
    return found - {module(path)}


class LayersTest(unittest.TestCase):
    def test_every_file_has_a_floor(self) -> None:
        homeless = {module(p).split(".")[0] for p in files()} - LIFT.keys() - {"__init__"}
        self.assertEqual(homeless, set(), "name its floor in FLOORS")

    def test_imports_go_down_or_stay_on_their_floor(self) -> None:
        for path in files():
            for imported in imports(path):
                with self.subTest(file=module(path), imports=imported):
                    here, there = module(path).split(".")[0], imported.split(".")[0]
                    self.assertLessEqual(LIFT[here], LIFT[there], "this import goes up")

    def test_no_files_import_each_other_in_a_circle(self) -> None:
        graph = {module(path): imports(path) for path in files()}
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            self.fail(f"a circle of imports: {' -> '.join(error.args[1])}")

    def test_the_domain_knows_nothing_of_the_web(self) -> None:
        for path in files():
            if LIFT.get(module(path).split(".")[0], 0) < LIFT["chat"]:
                continue
            # One reads its command line with Tornado's parser, the other is told of requests.
            if module(path) in ("options", "logs"):
                continue
            with self.subTest(file=module(path)):
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    names = []
                    if isinstance(node, ast.Import):
                        names = [alias.name for alias in node.names]
                    elif isinstance(node, ast.ImportFrom):
                        names = [node.module or ""]
                    self.assertFalse([n for n in names if n.split(".")[0] == "tornado"])

    def test_no_file_holds_more_than_one_idea(self) -> None:
        for path in files():
            with self.subTest(file=module(path)):
                lines = len(path.read_text(encoding="utf-8").splitlines())
                self.assertLessEqual(lines, LONGEST)

    def test_the_reader_of_imports_sees_them(self) -> None:
        self.assertIn("handlers.base", imports(HOUSE / "handlers" / "accounts.py"))
        self.assertLessEqual(
            {"schema", "handlers.socket", "limits", "options"}, imports(HOUSE / "app.py")
        )
