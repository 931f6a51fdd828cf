"""Words that docs/glossary.md has replaced do not come back as names in the benchmarks."""

from pathlib import Path

import pytest

import benchmarks
from tests.support.identifiers import identifiers_in

PACKAGE_DIR = Path(benchmarks.__file__).parent
FILES = sorted(PACKAGE_DIR.rglob("*.py"))

RETIRED = {
    # The load client
    *("Load", "take", "order", "hold", "storm", "pace", "paced", "drive", "got", "kept", "shut"),
    *(
        "TOO_SLOW",
        "QUIET",
        "LATE",
        "SAMPLE",
        "KEEPS_UP",
        "PATIENCE",
        "bulk",
        "doubled",
        "first_due",
    ),
    *("mark", "MARK", "MarkCounter", "KEPT", "space"),
    # Servers, workloads and the report
    *("DRAWN", "BASE", "running", "listening", "pin", "raise_limits", "missing", "absent"),
    *("chosen", "chosen_by", "once", "curve", "perform", "brief", "short"),
    *("Trials", "limit", "cell"),
    # The chat with data in it, and the measurements that stand alone
    *("fill", "probe", "show", "pour", "watch", "WATCH", "ORDER", "LOADED"),
    *("STORIES", "shares", "Start", "told", "said", "say", "lag"),
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE_DIR)))
def test_no_retired_word_is_a_name(path: Path) -> None:
    assert identifiers_in(path) & RETIRED == set(), "see docs/glossary.md"
