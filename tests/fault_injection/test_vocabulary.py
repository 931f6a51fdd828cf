"""Words that docs/glossary.md has replaced do not come back as names in fault injection."""

from pathlib import Path

import pytest

import fault_injection
from tests.support.identifiers import identifiers_in

PACKAGE_DIR = Path(fault_injection.__file__).parent
FILES = sorted(PACKAGE_DIR.rglob("*.py"))

RETIRED = {
    # Scenarios and their context
    *("Row", "Stage", "play", "dice", "say", "holds", "broken", "until", "pick", "Missing"),
    *("stop_over", "visit_until", "twice", "WAYS", "dialogue", "as_shown", "away", "watch"),
    *("NOTICED", "HELD", "SmallDisk", "LowCeiling", "full"),
    *("together", "flow", "live_again", "neighbour", "disturb", "wide_awake", "last_words"),
    # Clients
    *("Crowd", "arrive", "talk", "talking", "hush", "quiet", "converge", "judge", "GENEROUS"),
    *("lift_limits", "people", "banned", "_visit", "_pulse", "_hear", "_take", "GONE", "_early"),
    *("_again", "_room", "PATIENCE", "Page", "Line"),
    # Consistency
    *("Ledger", "Truth", "View", "Verdict", "astray", "unsettled", "disputed", "doubled", "Place"),
    # Frames
    *("Dough", "decent", "fuzzed", "_bent", "_scratched", "_in_pieces", "ODD", "BARE", "BROKEN"),
    *("Wire", "wire", "hear", "ENDS", "rude", "noise"),
    # Processes
    *("Held", "settle", "settled", "left_since", "SPARE", "Turns", "tell", "told", "waits"),
    *("runs", "said", "visitors", "mistakes", "observe", "program", "obey", "Order"),
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE_DIR)))
def test_no_retired_word_is_a_name(path: Path) -> None:
    assert identifiers_in(path) & RETIRED == set(), "see docs/glossary.md"
