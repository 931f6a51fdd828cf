"""Imports of the page's scripts go down the layers, never up.

    main
    views
    realtime
    conversations
    accounts
    api
    i18n
    browser, text

Each name is a file or a folder of capstone_chat/static/js/. It imports what is in the lines below
it, and may import what is in the same folder. Types count as well.
"""

import graphlib
import re
from pathlib import Path

import pytest

from tests.capstone.page.javascript import SCRIPTS

RULE = [line.strip().split(", ") for line in (__doc__ or "").splitlines() if line[:4] == "    "]
LAYERS = {name: number for number, names in enumerate(RULE) for name in names}
IMPORT = re.compile(r"""(?P<type>@\w+.*)?(?:\bfrom |\bimport ?\(?)["'`](?P<path>\.[^"'`$]*)""")
FILES = sorted(SCRIPTS.rglob("*.js"))


def name(path: Path) -> str:
    """`static/js/views/toast.js` is `views/toast`."""
    return path.relative_to(SCRIPTS).with_suffix("").as_posix()


def imports(path: Path, *, types: bool = True) -> set[str]:
    """Return the names of the scripts that a script imports."""
    found = set()
    for match in IMPORT.finditer(path.read_text(encoding="utf-8")):
        imported = (path.parent / match["path"]).resolve()
        if imported.is_file() and (types or not match["type"]):
            found.add(name(imported))
    return found


def test_every_script_has_a_layer() -> None:
    assert {name(path).split("/")[0] for path in FILES} == LAYERS.keys()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_go_down_or_stay_in_their_folder(path: Path) -> None:
    here = name(path).split("/")[0]
    for imported in imports(path):
        there = imported.split("/")[0]
        assert here == there or LAYERS[here] < LAYERS[there], imported


def test_no_scripts_import_each_other_in_a_circle() -> None:
    graph = {name(path): imports(path, types=False) for path in FILES}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def test_the_readme_quotes_the_rule() -> None:
    rule = "\n".join(", ".join(names) for names in RULE)
    readme = SCRIPTS.parents[1] / "README.md"
    assert f"```text\n{rule}\n```" in readme.read_text(encoding="utf-8")


def test_the_reader_of_imports_sees_them() -> None:
    main = imports(SCRIPTS / "main.js", types=False)
    assert {"api", "browser/router", "conversations/store", "realtime/sync"} <= main
    outbox = SCRIPTS / "realtime" / "outbox.js"
    assert imports(outbox) == {"browser/storage"}
    composer = SCRIPTS / "views" / "composer.js"
    assert "conversations/store" in imports(composer) - imports(composer, types=False)
