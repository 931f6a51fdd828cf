"""Imports go down the layers of the chat, never up.

    __main__, admin
    app, server, demo
    handlers
    services, logs, metrics
    purge
    accounts
    conversations
    realtime, storage
    options, urls, text, rate_limiter, in_flight

Each name is a file or a folder of capstone_chat/. It imports what is in the lines below it, and may
import what is in its own line, but realtime and storage do not know each other.
"""

import ast
import graphlib
import unittest
from pathlib import Path

import capstone_chat
from tests.support.identifiers import imported_packages

HOUSE = Path(capstone_chat.__file__).parent
RULE = [line.strip().split(", ") for line in (__doc__ or "").splitlines() if line[:4] == "    "]
LAYERS = {name: number for number, names in enumerate(RULE) for name in names}
PAIRS_APART = [("realtime", "storage")]
WEB = {"__main__", "admin", "app", "demo", "server", "handlers", "logs", "options"}
"""Which of them import Tornado: options reads its command line, logs is called with requests."""


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
                # `from a.b import c`: c is a file or something in the file a.b. What the package
                # itself has, such as its version, is in no layer.
                inner = [".".join(parts[1:end]) for end in range(len(parts), 1, -1)]
                found.update([one for one in inner if one in known][:1])
    return found - {module(path)}


class LayersTest(unittest.TestCase):
    def test_every_file_has_a_layer(self) -> None:
        without = {module(p).split(".")[0] for p in files()} - LAYERS.keys() - {"__init__"}
        self.assertEqual(without, set(), "name its layer at the top of this file")
        there = {path.stem for path in HOUSE.iterdir()}
        self.assertEqual(LAYERS.keys() - there, set(), "this file or folder is gone")

    def test_imports_go_down_or_stay_in_their_layer(self) -> None:
        for path in files():
            for imported in imports(path):
                with self.subTest(file=module(path), imports=imported):
                    here, there = module(path).split(".")[0], imported.split(".")[0]
                    self.assertLessEqual(LAYERS[here], LAYERS[there], "this import goes up")
                    self.assertNotIn((here, there), PAIRS_APART)
                    self.assertNotIn((there, here), PAIRS_APART)

    def test_no_files_import_each_other_in_a_circle(self) -> None:
        graph = {module(path): imports(path) for path in files()}
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            self.fail(f"a circle of imports: {' -> '.join(error.args[1])}")

    def test_only_what_speaks_http_knows_tornado(self) -> None:
        for path in files():
            if module(path).split(".")[0] in WEB | {"__init__"}:
                continue
            with self.subTest(file=module(path)):
                self.assertNotIn("tornado", imported_packages(path))

    def test_the_documents_quote_the_rule(self) -> None:
        rule = "\n".join(", ".join(names) for names in RULE)
        pages = ("capstone_chat/README.md", "CONTRIBUTING.md", "docs/architecture.md")
        for file in map(HOUSE.parent.joinpath, pages):
            self.assertIn(f"```text\n{rule}\n```", file.read_text(encoding="utf-8"), file.name)

    def test_the_reader_of_imports_sees_them(self) -> None:
        self.assertIn("handlers.base", imports(HOUSE / "handlers" / "auth.py"))
        self.assertLessEqual(
            {"storage.migrate", "handlers.websocket", "services", "options"},
            imports(HOUSE / "app.py"),
        )
